"""Kept models: the files of a fitted track in a run folder, and how they are opened for other objects.

Runs are stored by `benchmarks.execution`, and every track writes and reads its own files.
"""
