"""Three-channel images for networks (grey, threshold, opening), in a memory-mapped store.

Augmentation is in `models/training`.
"""
