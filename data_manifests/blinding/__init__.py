"""Blinding: ids that tell nothing about the objects that they stand for.

Which process or person receives which ids is decided elsewhere, such as in the execution of runs.
"""
