"""Simulation studies that validate the statistics and the simulator (`tox -e bench-statistics`).

Nothing in this package is used in a run.
"""
