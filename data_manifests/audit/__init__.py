"""Audit of a data set: every image opened, every column examined, findings with counts and names.

Nothing is changed.
"""
