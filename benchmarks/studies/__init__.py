"""Simulation studies that validate the statistics, the simulator and example mining (`tox -e bench-statistics`, …).

Nothing in this package is used in a run.
"""
