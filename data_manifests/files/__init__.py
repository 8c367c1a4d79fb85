"""Tables, YAML files, hashes of source code, the cache, atomic writes and worker processes.

What a table or file means for plankton belongs in `readers` and `cleaning`.
"""
