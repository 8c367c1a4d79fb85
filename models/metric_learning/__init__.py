"""Sub-classes found by clustering, and triplet losses (source 003).

Everything here works on arrays and Keras layers; data sets, files and the training loop belong elsewhere.
"""
