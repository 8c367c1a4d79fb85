"""Small synthetic objects for tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench import Objects
from planktonbench.features.network_images.form import ImageForm, Source
from planktonbench.features.network_images.store import NetworkImages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

CLASSES = ("Bacteriastrum", "Copepoda", "detritus", "never seen", "egg (other)")


def make(codes: NDArray[np.int64], seed: int, *, missing: float = 0.0) -> Objects:
    """Return objects whose first two columns separate the classes, with a column of noise."""
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


SIDE = 32
SHAPES = ("bar", "disc", "never seen", "ring")
DRAWN = np.array([0, 1, 3])


def picture(code: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a bar, disc or ring on noise, uint8 of shape (SIDE, SIDE)."""
    y, x = np.indices((SIDE, SIDE)) - rng.uniform(14, 17, (2, 1, 1))
    radius = np.hypot(x, y)
    shape = {0: (abs(x) < 3) & (abs(y) < 11), 1: radius < 9, 3: (radius < 12) & (radius > 8)}[code]
    return np.clip(40 + 150 * shape + rng.normal(0, 8, shape.shape), 0, 255).astype(np.uint8)


def make_image_subsets(counts: dict[str, int], seed: int = 0) -> dict[str, Objects]:
    """Return subsets with the given numbers of objects, unequal classes, and a class without rows."""
    rng = np.random.default_rng(seed)
    codes = np.concatenate([_codes(n, rng) for n in counts.values()])
    grey = np.stack([picture(int(code), rng) for code in codes])
    sizes = np.stack([codes * 50 + 60, codes * 30 + 40, codes * 500 + 900], axis=1).astype(np.float32)
    ids = np.array([str(position) for position in range(len(codes))], dtype=object)
    made = NetworkImages(form=ImageForm(SIDE), source=Source(), object_ids=ids, grey=grey, sizes=sizes)
    ends = np.cumsum(list(counts.values()))
    subsets = {}
    for subset, first, last in zip(counts, [0, *ends[:-1]], ends, strict=True):
        subsets[subset] = Objects(ids[first:last], SHAPES, network_images=made, codes=codes[first:last])
    return subsets


def _codes(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.concatenate([DRAWN, rng.choice(DRAWN, n - len(DRAWN), p=[0.2, 0.6, 0.2])])


@pytest.fixture
def subsets() -> dict[str, Objects]:
    """Train, valid and test with a missing class code (3), unequal classes, and missing values."""
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
    """Function that makes objects from codes and a seed."""
    return make


@pytest.fixture(scope="session")
def image_subsets() -> dict[str, Objects]:
    """Train, valid and test of bright shapes on a dark background, with a missing class code (2)."""
    return make_image_subsets({"train": 120, "valid": 40, "test": 40})


@pytest.fixture(scope="module")
def shallow_tiny() -> Iterator[None]:
    """Give the backbone `tiny` half its layers: compiling them takes most of the time of a short training."""
    from planktonbench.models.networks.architectures import BACKBONES, residual
    from planktonbench.models.networks.network import Design

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKBONES, "tiny", Design(residual((16, 32))))
        yield
