"""General-purpose utilities for tables, YAML files, the cache, atomic writes and worker processes.

Nothing here is specific to plankton.
"""
