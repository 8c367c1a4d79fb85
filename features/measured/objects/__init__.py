"""Objects on their way to the features: segmentation, crop, and the mosaic in which many are measured at once."""
