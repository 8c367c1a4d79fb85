"""Error for missing pretrained weights, which causes a run to be skipped."""

from __future__ import annotations

from ...data_manifests.errors import TrackError


class MissingWeights(TrackError):  # noqa: N818 - a condition that skips the run, not a failure
    """Pretrained weights are not available; the run is skipped rather than trained from random weights."""
