"""The catalogue: every measured feature, in the order of the columns."""

from __future__ import annotations

from . import core, geometry, grey, interior, outline, polar, profile, texture

VERSION = 1  # raised whenever any value changes

FEATURES = (
    *geometry.FEATURES, *outline.FEATURES, *interior.FEATURES, *grey.FEATURES, *texture.FEATURES, *profile.FEATURES,
    *polar.FEATURES, *core.FEATURES,
)  # fmt: skip
NAMES = tuple(feature.name for feature in FEATURES)
GROUPS = tuple(dict.fromkeys(feature.group for feature in FEATURES))
