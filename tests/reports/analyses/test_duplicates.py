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
from planktonbench.reports.analyses.duplicates import FEWEST_COLUMNS, duplicates_of, find_duplicates, keep_duplicates

if TYPE_CHECKING:
    from pathlib import Path

    from planktonbench.data_manifests.dataset import Dataset

IDS = [f"o{number}" for number in range(6)]


def opened(folder: Path, *, columns: int = 0, images: bool = False) -> Dataset:
    """Return six objects of which o1 and o4 are the same, and o2 and o5, in features or as images."""
    folder.mkdir(exist_ok=True)
    same = [0, 1, 2, 3, 1, 2]
    pd.DataFrame({"object_id": IDS, "taxon": "egg"}).to_csv(folder / "meta.csv", index=False)
    if columns:
        values = np.random.default_rng(0).normal(size=(6, columns))[same]
        native = pd.DataFrame(values, columns=[f"f{k}" for k in range(columns)])
        native.insert(0, "object_id", IDS)
        native.to_csv(folder / "features_native.csv", index=False)
    if images:
        (folder / "imgs").mkdir(exist_ok=True)
        for object_id, level in zip(IDS, same, strict=True):
            cv2.imwrite(str(folder / "imgs" / f"{object_id}.png"), np.full((9, 9), 20 * level, np.uint8))
    return open_folder(manifest_of_folder("lake"), folder)


@pytest.mark.parametrize("choices", [{"columns": FEWEST_COLUMNS}, {"images": True}, {"columns": 2, "images": True}])
def test_the_same_features_or_the_same_image_is_a_copy(tmp_path: Path, choices: dict[str, Any]) -> None:
    """A few features that agree are no copy; the images decide then."""
    assert find_duplicates(opened(tmp_path / "data", **choices)) == [["o1", "o4"], ["o2", "o5"]]


def test_labels_alone_are_no_copies(tmp_path: Path) -> None:
    """With two features and no image nothing is known."""
    assert find_duplicates(opened(tmp_path / "data", columns=2)) == []


def test_copies_are_looked_for_once_for_the_same_data(tmp_path: Path) -> None:
    """What was found is kept with the hash of the data."""
    data = opened(tmp_path / "data", columns=FEWEST_COLUMNS)
    keep_duplicates(tmp_path, data)
    kept = duplicates_of(tmp_path, "lake")
    before = kept.path.stat().st_mtime_ns
    keep_duplicates(tmp_path, data)

    assert kept.are_of(data.data_sha256)
    assert not kept.are_of("another")
    assert kept.groups == [["o1", "o4"], ["o2", "o5"]]
    assert kept.path.stat().st_mtime_ns == before


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """With what to do."""
    kept = duplicates_of(tmp_path, "lake")
    kept.path.parent.mkdir()
    kept.path.write_text("{")
    with pytest.raises(DataError, match=r"lake\.json cannot be read: .* Delete it"):
        _ = kept.groups
