"""Simulated plankton in the layout of a real data set, for first steps, tests, courses and large-scale runs.

Results on it are always marked as simulated.
"""
