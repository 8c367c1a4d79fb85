"""Blinded objects: rows match the real ones, and nothing in them names an object, a sample or a test label."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.benchmarks.execution.blinded_objects import BlindedObjects
from planktonbench.data_manifests.errors import TrackError

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = ("Acantharea", "Copepoda")
N = 40


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path, pd.DataFrame]:
    """Files of the truth and of a feature table whose value is the number of the object, and the truth."""
    rng = np.random.default_rng(0)
    truth = pd.DataFrame(
        {
            "object_id": [f"{CLASSES[k % 2]}/number {k}" for k in range(N)],
            "part": rng.choice(["train", "valid", "test"], N),
            "taxon": [CLASSES[k % 2] for k in range(N)],
            "sample": [f"tow {k % 3}" for k in range(N)],
        }
    )
    native = pd.DataFrame({"object_id": truth["object_id"], "number": np.arange(float(N))}).sample(frac=1)
    truth.to_parquet(tmp_path / "truth.parquet")
    native.to_parquet(tmp_path / "native.parquet")
    return tmp_path / "truth.parquet", tmp_path / "native.parquet", truth


def test_rows_are_those_of_the_objects(tables: tuple[Path, Path, pd.DataFrame]) -> None:
    """Features, labels and groups belong together, and rows of a track return to their real ids."""
    truth_file, native_file, truth = tables
    blinded = BlindedObjects.read(truth_file, CLASSES, "secret")
    seen = blinded.seen(native_file, with_labels=True)

    for name, objects in seen.items():
        rows = truth[truth["part"] == name]
        numbers = objects.table["number"].to_numpy().astype(int)
        real = [blinded.real(one) for one in objects.object_ids]

        assert objects.object_ids.tolist() == sorted(objects.object_ids) == objects.table.index.tolist()
        assert truth["object_id"][numbers].tolist() == real
        assert blinded.subsets[name].restored(numbers).tolist() == rows.index.tolist()
        assert blinded.subsets[name].object_ids.tolist() == rows["object_id"].tolist()
        if name == "test":
            assert objects.codes is None
        else:
            assert objects.y.tolist() == [number % 2 for number in numbers]
        assert objects.groups is not None
        assert len({(number % 3, group) for number, group in zip(numbers, objects.groups, strict=True)}) == 3


def test_nothing_names_an_object(tables: tuple[Path, Path, pd.DataFrame]) -> None:
    """Neither ids nor samples occur in the objects; without labels, there are no codes."""
    blinded = BlindedObjects.read(tables[0], CLASSES, "secret")
    seen = blinded.seen(tables[1], with_labels=False)
    content = pickle.dumps(seen)

    assert b"number 1" not in content
    assert b"tow" not in content
    assert all(objects.codes is None for objects in seen.values())


def test_samples_are_known_in_all_subsets_or_in_none(tables: tuple[Path, Path, pd.DataFrame]) -> None:
    """One unknown sample is enough."""
    truth_file, _, truth = tables
    truth.assign(sample=truth["sample"].where(truth.index != truth.index[0])).to_parquet(truth_file)
    subsets = BlindedObjects.read(truth_file, CLASSES, "secret").subsets

    assert [subset.groups for subset in subsets.values()] == [None, None, None]


def test_results_of_base_runs_are_renamed(tables: tuple[Path, Path, pd.DataFrame]) -> None:
    """Rows keep their values, and are in the order of the opaque ids."""
    blinded = BlindedObjects.read(tables[0], CLASSES, "secret")
    table = pd.DataFrame({"number": np.arange(float(N))}, index=pd.Index(tables[2]["object_id"]))
    found = blinded.renamed(table)

    assert found.index.tolist() == sorted(found.index)
    assert [blinded.real(one) for one in found.index] == table.index[found["number"].astype(int)].tolist()


def test_missing_rows_are_an_error(tables: tuple[Path, Path, pd.DataFrame]) -> None:
    """The message has the shape and the expected number."""
    subset = BlindedObjects.read(tables[0], CLASSES, "secret").subsets["test"]

    with pytest.raises(TrackError, match=rf"shape \(1, 2\); expected one row for each of {len(subset)} objects"):
        subset.restored(np.zeros((1, 2)))
