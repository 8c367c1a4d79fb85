"""Architectures and layers of Keras networks, and pretrained weights. Training is in `training`."""
