"""Tiny objects for tracks to learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench import Objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

CLASSES = ("Bacteriastrum", "Copepoda", "detritus", "never seen", "egg (other)")


def make(codes: NDArray[np.int64], seed: int, *, missing: float = 0.0) -> Objects:
    """Return objects whose first two columns tell the class, with noise beside."""
    rng = np.random.default_rng(seed)
    n = len(codes)
    native = pd.DataFrame(
        {
            "area": 10.0 * codes + rng.normal(size=n),
            "mean": -5.0 * codes + rng.normal(size=n),
            "double": 0.0,
            "noise": rng.normal(size=n),
            "constant": 3.0,
        }
    )
    native["double"] = 2 * native["area"]
    if missing:
        native = native.mask(rng.random(native.shape) < missing)
    ids = np.array([f"o{seed}-{position:04d}" for position in range(n)], dtype=object)
    return Objects(ids, CLASSES, native.set_index(pd.Index(ids, name="object_id")), codes=codes)


@pytest.fixture
def parts() -> dict[str, Objects]:
    """Train, valid and test with a gap in the class codes (3), unequal classes, and missing values."""
    rng = np.random.default_rng(7)
    present = np.array([0, 1, 2, 4])

    def codes(n: int) -> NDArray[np.int64]:
        return np.concatenate([present, rng.choice(present, n - 4, p=[0.1, 0.2, 0.6, 0.1])])

    return {
        "train": make(codes(200), 1, missing=0.03),
        "valid": make(codes(60), 2, missing=0.03),
        "test": make(codes(80), 3, missing=0.03),
    }


@pytest.fixture
def make_objects() -> Callable[..., Objects]:
    """Return the function that makes objects from codes and a seed."""
    return make
