"""Stored runs with their scores, grouped by data set and split. Comparing them is done in `comparisons`."""
