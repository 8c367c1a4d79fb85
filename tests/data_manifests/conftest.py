"""Fixtures: data sets in memory, and modified data sets on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.dataset import Dataset, open_folder
from planktonbench.data_manifests.manifest import Manifest, manifest_of_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


@pytest.fixture(scope="session")
def make_dataset(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Dataset]:
    """Return a function that makes a data set from the number of objects per taxon, with given samples and sets."""
    folder = tmp_path_factory.mktemp("nowhere")

    def make(
        counts: Mapping[str, int],
        *,
        samples: Sequence[object] | None = None,
        sets: Sequence[object] | None = None,
        name: str = "made",
    ) -> Dataset:
        taxa = np.repeat(list(counts), list(counts.values()))
        columns = {
            "object_id": [f"object-{number:04d}" for number in range(len(taxa))],
            "taxon": taxa,
            "lineage": None,
            "sample": samples,
            "set": sets,
        }
        objects = pd.DataFrame(columns).astype("str")
        return Dataset(manifest_of_folder(name), folder, objects, None, None, tuple(sorted(counts)), (), "0" * 64)

    return make


@pytest.fixture
def open_changed(make_challenge: Callable[..., Path]) -> Callable[..., Dataset]:
    """Return a function that opens the synthetic challenge with changes: `open_changed(meta=..., native=...)`."""

    def make(manifest: Manifest | None = None, **changes: object) -> Dataset:
        return open_folder(manifest or manifest_of_folder("made"), make_challenge(**changes))

    return make
