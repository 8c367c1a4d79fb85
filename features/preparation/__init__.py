"""Sources of images and chunk files, shared by measured features and network images.

The computations themselves belong in `measured` and `network_images`.
"""
