"""Handcrafted features measured from the images themselves: segmentation, kernels, catalogue, and the table."""
