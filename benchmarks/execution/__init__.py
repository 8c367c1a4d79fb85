"""From jobs to stored runs: settings, scheduler, worker processes, and the store.

What to run is decided in `planning`.
"""
