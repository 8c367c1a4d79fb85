"""Duplicates within a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pandas as pd
import pytest
from planktonbench import DataError
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.reports.warnings.duplicates import FEWEST_COLUMNS, Duplicates, find_duplicates, store_duplicates

if TYPE_CHECKING:
    from pathlib import Path

    from planktonbench.data_manifests.dataset import Dataset

IDS = [f"o{number}" for number in range(6)]


def opened(folder: Path, *, columns: int = 0, images: bool = False) -> Dataset:
    """Return six objects; o1 and o4 as well as o2 and o5 have identical features or images."""
    folder.mkdir(exist_ok=True)
    contents = [0, 1, 2, 3, 1, 2]
    pd.DataFrame({"object_id": IDS, "taxon": "egg"}).to_csv(folder / "meta.csv", index=False)
    if columns:
        values = np.random.default_rng(0).normal(size=(6, columns))[contents]
        native = pd.DataFrame(values, columns=[f"f{k}" for k in range(columns)])
        native.insert(0, "object_id", IDS)
        native.to_csv(folder / "features_native.csv", index=False)
    if images:
        (folder / "imgs").mkdir(exist_ok=True)
        for object_id, level in zip(IDS, contents, strict=True):
            cv2.imwrite(str(folder / "imgs" / f"{object_id}.png"), np.full((9, 9), 20 * level, np.uint8))
    return open_folder(manifest_of_folder("lake"), folder)


@pytest.mark.parametrize("choices", [{"columns": FEWEST_COLUMNS}, {"images": True}, {"columns": 2, "images": True}])
def test_identical_features_or_images_are_duplicates(tmp_path: Path, choices: dict[str, Any]) -> None:
    """With only a few features, images are compared instead."""
    assert find_duplicates(opened(tmp_path / "data", **choices)) == [["o1", "o4"], ["o2", "o5"]]


def test_too_few_features_without_images_have_no_duplicates(tmp_path: Path) -> None:
    """Two features are too few to identify duplicates."""
    assert find_duplicates(opened(tmp_path / "data", columns=2)) == []


def test_duplicates_are_searched_once_for_the_same_data(tmp_path: Path) -> None:
    """They are stored with the hash of the data."""
    data = opened(tmp_path / "data", columns=FEWEST_COLUMNS)
    store_duplicates(tmp_path, data)
    stored = Duplicates.of(tmp_path, "lake")
    before = stored.path.stat().st_mtime_ns
    store_duplicates(tmp_path, data)

    assert stored.matches(data.data_sha256)
    assert not stored.matches("another")
    assert stored.groups == [["o1", "o4"], ["o2", "o5"]]
    assert stored.path.stat().st_mtime_ns == before


def test_unreadable_file_is_reported(tmp_path: Path) -> None:
    """The message contains the file name and a remedy."""
    stored = Duplicates.of(tmp_path, "lake")
    stored.path.parent.mkdir()
    stored.path.write_text("{")
    with pytest.raises(DataError, match=r"lake\.json cannot be read: .* Delete it"):
        _ = stored.groups
