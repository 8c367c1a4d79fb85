"""Detection of a GPU for XGBoost."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import pytest
import xgboost
from planktonbench.models.table_tracks.xgboost_tracks import XgbNative, has_cuda


def driver(devices: int) -> SimpleNamespace:
    """Return a mock CUDA driver with the given number of devices."""

    def count(pointer: object) -> int:
        pointer._obj.value = devices  # type: ignore[attr-defined]
        return 0

    return SimpleNamespace(cuInit=lambda _: 0, cuDeviceGetCount=count)


@pytest.mark.parametrize(
    ("devices", "built_for_it", "expected"), [(1, True, True), (0, True, False), (1, False, False)]
)
def test_gpu_is_used_if_driver_and_library_support_it(
    monkeypatch: pytest.MonkeyPatch, devices: int, built_for_it: bool, expected: bool
) -> None:
    """Both a visible device and an XGBoost built with CUDA are needed."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _: driver(devices))
    monkeypatch.setattr(xgboost, "build_info", lambda: {"USE_CUDA": built_for_it})

    assert has_cuda() is expected


def test_cpu_is_used_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the CUDA driver the track trains on the CPU, which the card records."""

    def missing(_: str) -> None:
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", missing)
    track = XgbNative()
    track.warm_up()

    assert track.device == "cpu"
