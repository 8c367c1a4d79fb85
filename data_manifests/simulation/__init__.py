"""Simulated plankton in the layout of a real data set, for first steps, tests, courses, and scale.

Results on it are always called simulated.
"""
