"""Audit of a data set: opens every image, checks every feature, and lists findings with counts and examples.

The data set is not changed.
"""
