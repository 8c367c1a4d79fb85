"""Tracks that combine feature tables and images, or finished runs of other tracks.

The gain over them is judged in `reports/comparisons`.
"""
