"""Data sets: manifests, reading, cleaning and splits. Features, tracks and reports do not belong here."""
