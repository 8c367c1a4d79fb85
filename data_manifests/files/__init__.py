"""Reading and writing of files of any kind: tables, YAML, the cache, atomic writes, and processes.

Nothing here knows plankton.
"""
