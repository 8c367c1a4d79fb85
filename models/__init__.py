"""Tracks: the methods that are compared, behind one protocol and one registry.

No data set is read and no test score computed here.
"""
