"""Subsets of a split, and their names in files."""

from __future__ import annotations

SUBSETS = ("train", "valid", "test")

SET_NAMES = {"train": "train", "val": "valid", "valid": "valid", "validation": "valid", "test": "test"}
