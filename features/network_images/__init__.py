"""Network images: the grey channel in a memory-mapped store; `form` and `kernels` add threshold and opening on demand.

Augmentation belongs in `models/training`.
"""
