"""Architectures and layers of Keras networks, and pretrained weights. How they are trained is in `training`."""
