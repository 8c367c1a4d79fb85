"""Stored runs with their scores, grouped by data set and split. Comparisons of methods belong in `comparisons`."""
