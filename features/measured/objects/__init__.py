"""Preparation of objects for measurement: segmentation, crop and mosaic. Features are defined in `groups`."""
