"""Sources of images and chunk files, shared by measured features and network images.

What is computed of a chunk is not here.
"""
