"""A GPU is used when there is one."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import pytest
import xgboost
from planktonbench.models.table_tracks.xgboost_tracks import XgbNative, has_cuda


def driver(devices: int) -> SimpleNamespace:
    """Return a made-up CUDA driver with some devices."""

    def count(pointer: object) -> int:
        pointer._obj.value = devices  # type: ignore[attr-defined]
        return 0

    return SimpleNamespace(cuInit=lambda _: 0, cuDeviceGetCount=count)


@pytest.mark.parametrize(
    ("devices", "built_for_it", "expected"), [(1, True, True), (0, True, False), (1, False, False)]
)
def test_a_gpu_counts_when_driver_and_library_know_it(
    monkeypatch: pytest.MonkeyPatch, devices: int, built_for_it: bool, expected: bool
) -> None:
    """Both a visible device and an XGBoost that was built for it are needed."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _: driver(devices))
    monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": built_for_it})

    assert has_cuda() is expected


def test_without_driver_the_processor_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the CUDA driver trains on its processor, and the card will say so."""

    def missing(_: str) -> None:
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", missing)
    track = XgbNative()
    track.warm_up()

    assert track.device == "cpu"
