"""Tracks that combine feature tables and images, or finished runs of other tracks.

Their gain over the base models is evaluated in `reports/comparisons`.
"""
