"""The reason why a track with pretrained weights is skipped."""

from __future__ import annotations

from ...data_manifests.errors import TrackError


class MissingWeights(TrackError):  # noqa: N818 - what is the matter, and no fault of anybody
    """Pretrained weights cannot be had: the run is skipped, and never made with random ones instead."""
