"""Tests of the export of measured tables to CSV, tab-separated and parquet files, written atomically."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from planktonbench.data_manifests.errors import DataError
from planktonbench.features.measured import export as module
from planktonbench.features.measured.catalogue import FEATURES, NAMES
from planktonbench.features.measured.export import check_target, export
from planktonbench.features.measured.table import MeasuredTable

if TYPE_CHECKING:
    from pathlib import Path

IDS = ["007", "a,b", "c/d", 'with "quotes"', "e"]


@pytest.fixture(autouse=True)
def few_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write two rows at a time, so that five need three batches."""
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 2)


@pytest.fixture
def rows() -> pd.DataFrame:
    """Return synthetic rows; the second image has no object, the third cannot be measured."""
    values = np.random.default_rng(0).normal(100, 30, (5, len(NAMES)))
    table = pd.DataFrame(values, pd.Index(IDS, name="object_id", dtype="str"), list(NAMES))
    table.iloc[1, 5:], table.iloc[1, :5] = np.nan, 0
    table.iloc[2] = np.nan
    return table


@pytest.fixture
def measured(rows: pd.DataFrame, tmp_path: Path) -> MeasuredTable:
    """Return a measured table with these rows."""
    import pyarrow as pa

    path = tmp_path / "cache.parquet"
    table = pa.Table.from_pandas(rows.reset_index(), preserve_index=False)
    pq.write_table(table.replace_schema_metadata({"planktonbench": json.dumps({"version": 1})}), path)
    return MeasuredTable(path, pd.DataFrame(), 0)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "CSV"])
def test_written_values_can_be_read_back(
    rows: pd.DataFrame, measured: MeasuredTable, tmp_path: Path, suffix: str
) -> None:
    """Ids are always text; columns are object_id, then the features in catalogue order."""
    out = tmp_path / "new" / "folder" / f"features.{suffix}"
    check_target(out)
    exported = export(measured, out)
    if suffix == "parquet":
        found = pd.read_parquet(out)
    else:
        found = pd.read_csv(out, sep="\t" if suffix == "tsv" else ",", dtype={"object_id": str})

    assert list(found.columns) == ["object_id", *NAMES]
    pd.testing.assert_frame_equal(found.set_index("object_id"), rows, rtol=1e-15)
    assert (exported.rows, exported.empty) == (5, 1)
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_missing_values_are_empty_in_text_and_null_in_parquet(measured: MeasuredTable, tmp_path: Path) -> None:
    """They are not written as `nan`, which some programs read as text."""
    export(measured, tmp_path / "features.csv")
    export(measured, tmp_path / "features.parquet")
    lines = (tmp_path / "features.csv").read_text("utf-8").splitlines()

    assert lines[0] == ",".join(["object_id", *NAMES])
    assert lines[3] == '"c/d"' + "," * len(NAMES)
    assert pq.read_table(tmp_path / "features.parquet")["area"].null_count == 1


def test_a_pixel_size_adds_columns_in_micrometres(rows: pd.DataFrame, measured: MeasuredTable, tmp_path: Path) -> None:
    """They follow the features in pixels; the pixel size is in the file's metadata."""
    export(measured, tmp_path / "features.parquet", 2.5)
    found = pd.read_parquet(tmp_path / "features.parquet").set_index("object_id")
    sized = [feature for feature in FEATURES if feature.unit in {"px", "px²"}]
    description = json.loads(pq.read_metadata(tmp_path / "features.parquet").metadata[b"planktonbench"])

    assert list(found.columns[: len(NAMES)]) == list(NAMES)
    assert found.shape[1] == len(NAMES) + len(sized)
    np.testing.assert_allclose(found["area_um2"], rows["area"] * 6.25)
    np.testing.assert_allclose(found["esd_um"], rows["esd"] * 2.5)
    assert description == {"version": 1, "pixel_size_um": 2.5}


@pytest.mark.parametrize("name", ["features.xlsx", "features", "features.csv.gz"])
def test_unknown_file_formats_are_rejected(tmp_path: Path, name: str) -> None:
    """The error lists the supported formats; no folder is created."""
    with pytest.raises(
        DataError, match=rf"{name} cannot be written as a feature table; expected .* \.csv, \.tsv or \.parquet"
    ):
        check_target(tmp_path / "new" / name)

    assert not (tmp_path / "new").exists()


def test_unwritable_targets_are_rejected(measured: MeasuredTable, tmp_path: Path) -> None:
    """A folder with that name, or a file in place of the folder, is rejected by the check and by the export."""
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"folder\.csv cannot be written as a feature table"):
        check_target(tmp_path / "folder.csv")
    with pytest.raises(DataError, match=r"features\.csv cannot be written: .* the measured values stay in the cache\."):
        check_target(tmp_path / "file" / "features.csv")
    with pytest.raises(DataError, match=r"folder\.csv cannot be written"):
        export(measured, tmp_path / "folder.csv")


def test_a_file_is_only_replaced_by_a_complete_one(
    measured: MeasuredTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the disk fills up during writing, the previous file is kept and no temporary file is left."""
    (tmp_path / "out").mkdir()
    out = tmp_path / "out" / "features.csv"
    out.write_text("as before", "utf-8")
    calls = []

    def full(table: pd.DataFrame, pixel_size_um: float | None) -> pd.DataFrame:
        calls.append(pixel_size_um)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return table

    monkeypatch.setattr(module, "with_micrometres", full)
    with pytest.raises(DataError, match=r"No space left on device"):
        export(measured, out)

    assert out.read_text("utf-8") == "as before"
    assert list(out.parent.iterdir()) == [out]
