"""Cleaning: each fault of the tables is counted and reported, or raises an error with ids and lines."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.dataset import Dataset, open_folder
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.manifest import load_manifest, manifest_of_folder
from planktonbench.data_manifests.notes import Note, note

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change = Callable[[pd.DataFrame], pd.DataFrame]
    Open = Callable[..., Dataset]


def set_first_rows(column: str, value: object, rows: int = 3) -> Change:
    """Return a change that sets the first rows of a column."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        cells: list[Any] = [value] * rows + table[column].tolist()[rows:]
        return table.assign(**{column: cells})

    return change


def repeat_rows(rows: int, **columns: object) -> Change:
    """Return a change that appends copies of the first rows, optionally with other values in some columns."""
    return lambda table: pd.concat([table, table.head(rows).assign(**columns)])


def counts(data: Dataset) -> dict[str, int]:
    """Return the count of each note by code."""
    return {found.code: found.count for found in data.notes}


def test_clean_tables_have_no_notes(challenge: Path) -> None:
    """Tables are matched even if ids are floats in one file and integers in the other."""
    data = open_folder(manifest_of_folder("made"), challenge)
    meta, native = pd.read_csv(challenge / "meta.csv"), pd.read_csv(challenge / "features_native.csv")
    expected = meta.merge(native, on="objid").sort_values("objid", ignore_index=True)

    assert data.notes == ()
    assert list(data.objects.columns) == ["object_id", "taxon", "lineage", "sample", "set"]
    assert list(data.objects["object_id"]) == list(expected["objid"].astype(str))
    assert list(data.objects["taxon"]) == list(expected["unique_name"])
    assert data.native is not None
    assert data.native["area"].tolist() == pytest.approx(expected["area"].tolist())


@pytest.mark.parametrize(
    ("meta", "native", "expected", "n"),
    [
        (repeat_rows(4), None, {"duplicate-rows-meta.csv": 4}, 107),
        (None, repeat_rows(2), {"duplicate-rows-features_native.csv": 2}, 107),
        (lambda table: pd.concat([table, table.head(1), table.head(1)]), None, {"duplicate-rows-meta.csv": 2}, 107),
        (set_first_rows("level2", None), None, {"no-taxon": 3}, 104),
        (set_first_rows("level2", " "), None, {"no-taxon": 3}, 104),
        (None, set_first_rows("mean", np.nan), {"missing": 3}, 107),
        (None, set_first_rows("mean", np.inf), {"infinite": 3}, 107),
        (None, set_first_rows("mean", -np.inf, 1), {"infinite": 1}, 107),
        (None, lambda table: table.iloc[2:], {"object-without-native": 2, "missing": 2 * 5}, 107),
        (None, repeat_rows(2, objid=[1.0, 2.0]), {"native-without-object": 2}, 107),
    ],
)
def test_faults_are_counted_and_reported(
    open_changed: Open, meta: Change | None, native: Change | None, expected: dict[str, int], n: int
) -> None:
    """Each fault has a note with its count; objects are kept or left out according to the rule."""
    data = open_changed(meta=meta, native=native)

    assert expected == counts(data)
    assert len(data) == n


@pytest.mark.parametrize("cell", ["", "NA", "nan", " "])
def test_objects_without_taxon_are_left_out(open_changed: Open, cell: str) -> None:
    """They are in none of the tables and not a class; their ids are reported."""
    ids: list[str] = []

    def change(table: pd.DataFrame) -> pd.DataFrame:
        ids.extend(table["objid"].astype(str).head(3))
        return set_first_rows("level2", cell)(table)

    data = open_changed(meta=change)

    assert list(data.classes) == ["Bacteriastrum", "Copepoda", "Retaria", "detritus", "egg (other)"]
    assert not data.objects["object_id"].isin(ids).any()
    assert data.native is not None
    assert list(data.native.index) == list(data.objects["object_id"])
    assert sorted(ids) == sorted(data.notes[0].examples)


def test_infinite_values_become_missing(open_changed: Open) -> None:
    """Other values are unchanged; the note names the column with its share of rows."""
    data = open_changed(native=set_first_rows("mean", -np.inf))

    assert data.native is not None
    assert data.native.isna().sum().to_dict() == {"area": 0, "filled_area": 0, "mean": 3, "noise": 0, "constant": 0}
    assert {"mean 2.80%"} == {example for found in data.notes for example in found.examples}
    assert np.isinf(data.native.to_numpy()).sum() == 0


def test_images_and_objects_are_compared(challenge: Path) -> None:
    """Objects without image are kept, images without object are left out; both are reported."""
    first = pd.read_csv(challenge / "meta.csv", dtype=str)["objid"][0]
    with zipfile.ZipFile(challenge / "imgs.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["imgs/unknown.png"] = members.pop(f"imgs/{first}.png")
    with zipfile.ZipFile(challenge / "imgs.zip", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    data = open_folder(manifest_of_folder("made"), challenge)

    assert len(data) == 107
    assert [(found.code, found.count, found.examples) for found in data.notes] == [
        ("object-without-image", 1, (first,)),
        ("image-without-object", 1, ("imgs/unknown.png",)),
    ]


@pytest.mark.parametrize(
    ("meta", "native", "words"),
    [
        (repeat_rows(1, level2="other"), None, ["meta.csv: one id has two different rows: ", "one row per 'objid'"]),
        (None, repeat_rows(1, area=0), ["features_native.csv: one id has two different rows: ", "remove the wrong"]),
        (repeat_rows(12, level2="other"), None, ["two different rows: ", ", … (12 in all). "]),
        (
            set_first_rows("objid", None, 2),
            None,
            ["meta.csv: 2 rows have no 'objid' (lines 2, 3). Give each object an id."],
        ),
        (None, set_first_rows("objid", None, 1), ["features_native.csv: 1 rows have no 'objid' (lines 2)"]),
        (lambda table: table.assign(level2=None), None, ["meta.csv: no row has a taxon (column 'level2')"]),
        (lambda table: table.head(0), None, ["meta.csv has a header but no rows"]),
        (None, lambda table: table.head(0), ["features_native.csv has a header but no rows"]),
        (lambda table: table.drop(columns="objid"), None, ["meta.csv has no column 'object_id' or 'objid' or"]),
        (lambda table: table.drop(columns="level2"), None, ["meta.csv has no column 'taxon' or", "are objid, projid"]),
        (None, lambda table: table.drop(columns="objid"), ["features_native.csv has no column 'object_id' or"]),
        (
            None,
            set_first_rows("noise", "big", 2),
            ["features_native.csv: column 'noise'", "'big' in line 2 (2 such cells)"],
        ),
        (
            None,
            lambda table: table.assign(objid=table["objid"] + 5000),
            [
                "none of its 107 ids occurs in the table of objects",
                "expected ids such as 1000, 1001",
                "different data sets",
            ],
        ),
    ],
)
def test_contradictions_are_errors(
    open_changed: Open, meta: Change | None, native: Change | None, words: list[str]
) -> None:
    """The message has the file, the ids or lines, the expected content and advice."""
    with pytest.raises(DataError) as caught:
        open_changed(meta=meta, native=native, images=False)

    assert [word for word in words if word not in str(caught.value)] == []


def test_only_ids_with_different_rows_are_listed(open_changed: Open) -> None:
    """Ids of exact duplicates are not in the message."""
    ids: list[str] = []

    def change(table: pd.DataFrame) -> pd.DataFrame:
        ids.extend(table["objid"].astype(str).head(2))
        return pd.concat([table, table.head(1), table.iloc[[1]].assign(latitude=0)])

    with pytest.raises(DataError, match="two different rows") as caught:
        open_changed(meta=change)

    assert f"rows: {ids[1]}. " in str(caught.value)


def test_blank_ids_are_missing(open_changed: Open) -> None:
    """An id of spaces is an error like an empty one."""
    with pytest.raises(DataError, match=r"1 rows have no 'objid' \(lines 2\)"):
        open_changed(meta=set_first_rows("objid", "  ", 1), images=False)


def test_sample_names_join_the_grouping_columns(open_changed: Open) -> None:
    """Missing grouping columns are ignored; without a manifest, there are no samples."""
    flowcam = load_manifest("flowcam")
    data = open_changed(flowcam)
    without_column = open_changed(flowcam, meta=lambda table: table.drop(columns="latitude"))

    assert set(data.objects["sample"]) == {f"1|43.5|2020-01-0{day}" for day in range(1, 6)}
    assert set(without_column.objects["sample"]) == {f"1|2020-01-0{day}" for day in range(1, 6)}
    assert open_changed().objects["sample"].isna().all()


def test_objects_without_grouping_values_have_no_sample(open_changed: Open) -> None:
    """They are not combined into one sample."""
    manifest = load_manifest("flowcam").model_copy(update={"grouping": ("projid", "objdate")})
    data = open_changed(
        manifest, meta=lambda table: set_first_rows("objdate", None)(set_first_rows("projid", None)(table))
    )

    assert data.objects["sample"].isna().sum() == 3


def test_a_note_is_one_line_with_examples() -> None:
    """Counts have a thousands separator, there are at most ten examples, and no note without values."""
    assert note("code", "ids are odd", []) == []
    assert note("code", "ids are odd", range(12)) == [Note("code", "ids are odd", 12, tuple("0123456789"))]
    assert str(Note("code", "ids are odd", 1003, ("a", "b"))) == "1,003 ids are odd (first: a, b)"
    assert str(Note("code", "ids are odd", 1)) == "1 ids are odd"
