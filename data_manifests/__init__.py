"""Data sets: manifests, reading, cleaning, and splits. Nothing here knows features, tracks or reports."""
