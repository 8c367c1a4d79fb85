"""Training of a Keras network: recipe, batches, augmentation, loop, and checkpoints.

Networks are chosen in `image_tracks` and defined in `networks`.
"""
