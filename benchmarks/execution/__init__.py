"""Execution of jobs: settings, scheduler, worker processes, and the store of runs.

The list of jobs is made in `planning`.
"""
