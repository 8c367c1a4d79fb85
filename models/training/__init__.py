"""Training of a Keras network: recipe, batches, augmentation, loop, and checkpoints.

Which network is trained is decided in `image_tracks`.
"""
