"""Catalogue of all measured features, in column order."""

from __future__ import annotations

from .groups import (
    angular,
    boundary,
    contrast,
    cooccurrence,
    core,
    fourier,
    geometry,
    gradients,
    granulometry,
    grey,
    hull,
    outline,
    patterns,
    polar,
    profile,
    quartiles,
    skeleton,
    smoothed,
    symmetry,
    thickness,
)

VERSION = 2  # increased whenever any value changes

FEATURES = (
    *geometry.FEATURES, *hull.FEATURES, *outline.FEATURES, *fourier.FEATURES, *thickness.FEATURES, *skeleton.FEATURES,
    *symmetry.FEATURES, *boundary.FEATURES, *grey.FEATURES, *quartiles.FEATURES, *contrast.FEATURES,
    *cooccurrence.FEATURES, *patterns.FEATURES, *smoothed.FEATURES, *gradients.FEATURES, *granulometry.FEATURES,
    *profile.FEATURES, *polar.FEATURES, *angular.FEATURES, *core.FEATURES,
)  # fmt: skip
NAMES = tuple(feature.name for feature in FEATURES)
GROUPS = tuple(dict.fromkeys(feature.group for feature in FEATURES))
