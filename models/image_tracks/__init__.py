"""Tracks on network images: shipped CNNs and user-supplied Keras networks.

Layers are in `networks`, the training loop in `training`.
"""
