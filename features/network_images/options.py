"""Choices of the form of network images, importable without image libraries."""

from typing import Literal

Resize = Literal["pad", "shrink", "stretch"]
Channels = Literal["derived", "grey"]
