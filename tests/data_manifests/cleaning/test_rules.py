"""Cleaning: each fault of the tables has one rule, is counted and told, or is refused with ids and lines."""

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


def setting(column: str, value: object, rows: int = 3) -> Change:
    """Return a change that sets the first rows of a column."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        cells: list[Any] = [value] * rows + table[column].tolist()[rows:]
        return table.assign(**{column: cells})

    return change


def again(rows: int, **columns: object) -> Change:
    """Return a change that repeats the first rows at the end, with other cells where they are given."""
    return lambda table: pd.concat([table, table.head(rows).assign(**columns)])


def counts(data: Dataset) -> dict[str, int]:
    """Return the count of each note."""
    return {found.code: found.count for found in data.notes}


def test_clean_tables_have_no_notes(challenge: Path) -> None:
    """Ids that are float in one file and integer in the other are no fault: values stand at their own object."""
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
        (again(4), None, {"duplicate-rows-meta.csv": 4}, 107),
        (None, again(2), {"duplicate-rows-features_native.csv": 2}, 107),
        (lambda table: pd.concat([table, table.head(1), table.head(1)]), None, {"duplicate-rows-meta.csv": 2}, 107),
        (setting("level2", None), None, {"no-taxon": 3}, 104),
        (setting("level2", " "), None, {"no-taxon": 3}, 104),
        (None, setting("mean", np.nan), {"missing": 3}, 107),
        (None, setting("mean", np.inf), {"infinite": 3}, 107),
        (None, setting("mean", -np.inf, 1), {"infinite": 1}, 107),
        (None, lambda table: table.iloc[2:], {"object-without-native": 2, "missing": 2 * 5}, 107),
        (None, again(2, objid=[1.0, 2.0]), {"native-without-object": 2}, 107),
    ],
)
def test_a_fault_is_counted_and_told(
    open_changed: Open, meta: Change | None, native: Change | None, expected: dict[str, int], n: int
) -> None:
    """Each fault has its note with its count, and objects stay or go as the rule says."""
    data = open_changed(meta=meta, native=native)

    assert expected == counts(data)
    assert len(data) == n


@pytest.mark.parametrize("cell", ["", "NA", "nan", " "])
def test_a_row_without_taxon_is_no_class(open_changed: Open, cell: str) -> None:
    """Objects without taxon are in no table and no class, and their ids are told."""
    ids: list[str] = []

    def change(table: pd.DataFrame) -> pd.DataFrame:
        ids.extend(table["objid"].astype(str).head(3))
        return setting("level2", cell)(table)

    data = open_changed(meta=change)

    assert list(data.classes) == ["Bacteriastrum", "Copepoda", "Retaria", "detritus", "egg (other)"]
    assert not data.objects["object_id"].isin(ids).any()
    assert data.native is not None
    assert list(data.native.index) == list(data.objects["object_id"])
    assert sorted(ids) == sorted(data.notes[0].examples)


def test_infinite_and_missing_values_are_missing_and_their_columns_told(open_changed: Open) -> None:
    """No infinity is left, no other value is touched, and the note names the column with its share of rows."""
    data = open_changed(native=setting("mean", -np.inf))

    assert data.native is not None
    assert data.native.isna().sum().to_dict() == {"area": 0, "filled_area": 0, "mean": 3, "noise": 0, "constant": 0}
    assert {"mean 2.80%"} == {example for found in data.notes for example in found.examples}
    assert np.isinf(data.native.to_numpy()).sum() == 0


def test_images_and_objects_are_compared(challenge: Path) -> None:
    """An object without image stays and an image without object goes; both are counted and named."""
    first = pd.read_csv(challenge / "meta.csv", dtype=str)["objid"][0]
    with zipfile.ZipFile(challenge / "imgs.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["imgs/stranger.png"] = members.pop(f"imgs/{first}.png")
    with zipfile.ZipFile(challenge / "imgs.zip", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    data = open_folder(manifest_of_folder("made"), challenge)

    assert len(data) == 107
    assert [(found.code, found.count, found.examples) for found in data.notes] == [
        ("object-without-image", 1, (first,)),
        ("image-without-object", 1, ("imgs/stranger.png",)),
    ]


@pytest.mark.parametrize(
    ("meta", "native", "words"),
    [
        (again(1, level2="other"), None, ["meta.csv: one id has two different rows: ", "one row per 'objid'"]),
        (None, again(1, area=0), ["features_native.csv: one id has two different rows: ", "remove the wrong"]),
        (again(12, level2="other"), None, ["two different rows: ", ", … (12 in all). "]),
        (setting("objid", None, 2), None, ["meta.csv: 2 rows have no 'objid' (lines 2, 3). Give each object an id."]),
        (None, setting("objid", None, 1), ["features_native.csv: 1 rows have no 'objid' (lines 2)"]),
        (lambda table: table.assign(level2=None), None, ["meta.csv: no row has a taxon (column 'level2')"]),
        (lambda table: table.head(0), None, ["meta.csv has a header but no rows"]),
        (None, lambda table: table.head(0), ["features_native.csv has a header but no rows"]),
        (lambda table: table.drop(columns="objid"), None, ["meta.csv has no column 'object_id' or 'objid' or"]),
        (lambda table: table.drop(columns="level2"), None, ["meta.csv has no column 'taxon' or", "are objid, projid"]),
        (None, lambda table: table.drop(columns="objid"), ["features_native.csv has no column 'object_id' or"]),
        (None, setting("noise", "big", 2), ["features_native.csv: column 'noise'", "'big' in line 2 (2 such cells)"]),
        (
            None,
            lambda table: table.assign(objid=table["objid"] + 5000),
            ["none of its 107 ids is in the table of objects", "expected such as 1000, 1001", "different data sets"],
        ),
    ],
)
def test_a_contradiction_is_refused(
    open_changed: Open, meta: Change | None, native: Change | None, words: list[str]
) -> None:
    """The message names the file, the ids or lines, what was expected and what to do."""
    with pytest.raises(DataError) as caught:
        open_changed(meta=meta, native=native, images=False)

    assert [word for word in words if word not in str(caught.value)] == []


def test_the_ids_of_two_contents_are_named(open_changed: Open) -> None:
    """An id that stands for two objects is told, and ids of exact duplicates are not."""
    ids: list[str] = []

    def change(table: pd.DataFrame) -> pd.DataFrame:
        ids.extend(table["objid"].astype(str).head(2))
        return pd.concat([table, table.head(1), table.iloc[[1]].assign(latitude=0)])

    with pytest.raises(DataError, match="two different rows") as caught:
        open_changed(meta=change)

    assert f"rows: {ids[1]}. " in str(caught.value)


def test_an_id_of_spaces_is_no_id(open_changed: Open) -> None:
    """A cell with nothing but spaces is refused like an empty one."""
    with pytest.raises(DataError, match=r"1 rows have no 'objid' \(lines 2\)"):
        open_changed(meta=setting("objid", "  ", 1), images=False)


def test_a_sample_is_what_the_grouping_columns_say_together(open_changed: Open) -> None:
    """Grouping columns that are there make the sample's name; a folder without manifest has no samples."""
    flowcam = load_manifest("flowcam")
    data = open_changed(flowcam)
    without_column = open_changed(flowcam, meta=lambda table: table.drop(columns="latitude"))

    assert set(data.objects["sample"]) == {f"1|43.5|2020-01-0{day}" for day in range(1, 6)}
    assert set(without_column.objects["sample"]) == {f"1|2020-01-0{day}" for day in range(1, 6)}
    assert open_changed().objects["sample"].isna().all()


def test_an_object_without_grouping_cells_has_no_sample(open_changed: Open) -> None:
    """Objects of which the files do not tell the sample do not make up one sample together."""
    manifest = load_manifest("flowcam").model_copy(update={"grouping": ("projid", "objdate")})
    data = open_changed(manifest, meta=lambda table: setting("objdate", None)(setting("projid", None)(table)))

    assert data.objects["sample"].isna().sum() == 3


def test_a_note_is_one_line_with_its_first_examples() -> None:
    """Notes count with thousands, name ten at most, and there is none where there is nothing to tell."""
    assert note("code", "ids are odd", []) == []
    assert note("code", "ids are odd", range(12)) == [Note("code", "ids are odd", 12, tuple("0123456789"))]
    assert str(Note("code", "ids are odd", 1003, ("a", "b"))) == "1,003 ids are odd (first: a, b)"
    assert str(Note("code", "ids are odd", 1)) == "1 ids are odd"
