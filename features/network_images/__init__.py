"""Network images: three channels (grey, threshold, opening) in a memory-mapped store.

Augmentation belongs in `models/training`.
"""
