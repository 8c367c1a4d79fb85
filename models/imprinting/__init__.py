"""Weight imprinting (source 000): tracks for classes with few objects, and mining of further examples.

Layers and backbones are in `networks`, the training loop is in `training`.
"""
