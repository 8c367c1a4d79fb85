"""Tasks: what is asked of a track, what it may see, and how its output is checked, stored and evaluated.

Metrics that all tasks share belong in `scoring`; methods do not belong here.
"""
