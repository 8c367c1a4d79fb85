"""Objects on their way to the features: segmentation, crop, and mosaic. What is measured is defined in `groups`."""
