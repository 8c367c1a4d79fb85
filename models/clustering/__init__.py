"""Clustering tracks, which learn without labels. Measures of clusterings belong in `reports`."""
