"""Simulation studies behind the statistics and the simulator (`tox -e bench-statistics`).

Nothing here is used in a run.
"""
