"""Columns: what measures an object may be learnt from, what names it or its label may not."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from planktonbench.data_manifests.cleaning.feature_columns import feature_columns, is_never_a_feature
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.files.tables import read_table

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "field" / "flowcam-native-features-describe.csv"
META = [
    *["objid", "projid", "id", "status", "latitude", "longitude", "objdate", "objtime", "depth_min", "depth_max"],
    *["unique_name", "lineage", "level1", "level2"],
]
ECOTAXA = ["lat", "lon", "time", "link", "annotation_category", "annotation_hierarchy", "annotation_person_name"]
FILE = Path("features_native.csv")


def table_of(text: str) -> pd.DataFrame:
    """Read a table as the native table is read."""
    return pd.read_csv(io.StringIO(text))


@pytest.mark.parametrize("column", [*META, *ECOTAXA, "sample", "img_file_name", "classif_id", "set", "x", "ystart"])
def test_what_names_an_object_is_no_feature(column: str) -> None:
    """Ids, names, dates, places, lineages and labels are never features, in any case, with spaces or a prefix."""
    spellings = [column, column.upper(), f" {column.title()} ", f"object_{column}", f"OBJECT_{column}"]

    assert [name for name in spellings if not is_never_a_feature(name)] == []


@pytest.mark.parametrize(
    "column", ["level2_num", "object_aphiaid", "acquis_id", "Particle ID", "Capture X", "Elapsed Time"]
)
def test_spellings_of_instruments_and_exports_are_known(column: str) -> None:
    """Columns that real exports have, with spaces or as the number of a taxon, are never features either."""
    assert is_never_a_feature(column)


def test_published_features_are_features() -> None:
    """None of the 64 published features of FlowCam is taken for something else."""
    if not PUBLISHED.is_file():
        pytest.skip(f"the published features are not at {PUBLISHED}")
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        names = [row["feature"] for row in csv.DictReader(file) if row["feature"] != "level2_num"]  # a label

    assert len(names) == 64
    assert [name for name in names if is_never_a_feature(name) or is_never_a_feature(f"object_{name}")] == []


@pytest.mark.parametrize("column", ["secret", " Secret", "object_secret", "Object_SECRET"])
@pytest.mark.parametrize("own", ["secret", "SECRET ", "object_secret"])
def test_the_manifest_adds_its_own(column: str, own: str) -> None:
    """The manifest's never_features count too, whatever case, spaces or prefix they are written with."""
    assert not is_never_a_feature(column)
    assert is_never_a_feature(column, [own])


def test_features_keep_the_order_of_the_file() -> None:
    """What is left are the measured columns, in the file's order; a column without any value is one."""
    table = table_of("objid,width,Level2,area,empty,own\n1,2.5,egg,3,,4\n")

    assert feature_columns(table, ["own"], FILE) == ["width", "area", "empty"]


def test_text_among_numbers_is_told_with_column_line_and_value() -> None:
    """The message names file, column, first wrong cell, its line, the count of such cells, and what to do."""
    table = table_of('objid,area\n1,2\n2,\n3,"3,5"\n4,big\n')
    with pytest.raises(DataError) as caught:
        feature_columns(table, [], FILE)

    assert str(caught.value) == (
        "features_native.csv: column 'area' should hold numbers but holds '3,5' in line 4 (2 such cells). "
        "Correct the cells, or list the column under never_features in the manifest if it is not a measurement."
    )


@pytest.mark.parametrize(
    ("content", "line"),
    [("\n\n1,2\n\n2,big\n", 5), ("\n  \n1,2\n2,big\n", 4), ('\n"a\nb",1\n2,big\n', 4)],
    ids=["empty lines", "blanks", "quoted line end"],
)
def test_the_line_is_that_of_the_file(tmp_path: Path, content: str, line: int) -> None:
    """Empty lines and line ends inside of quotes count as lines."""
    path = tmp_path / "features_native.csv"
    path.write_text(f"objid,area{content}")
    with pytest.raises(DataError, match=f"'big' in line {line}"):
        feature_columns(read_table(path, DataError, text=["objid"]), [], path)


@pytest.mark.parametrize("cells", ["True\n2,False", "True\n2,"])
def test_truth_values_are_no_numbers(cells: str) -> None:
    """A column of True and False is refused, and the message names such a cell and does not count none."""
    with pytest.raises(DataError, match="column 'flag' should hold numbers") as caught:
        feature_columns(table_of(f"objid,flag\n1,{cells}\n"), [], FILE)

    assert "True" in str(caught.value) or "bool" in str(caught.value)
    assert "(0 such cells)" not in str(caught.value)


def test_a_table_without_measurement_is_refused() -> None:
    """The message names the columns that are there."""
    with pytest.raises(DataError, match=r"^features_native\.csv has no measured column; its columns are objid, level2"):
        feature_columns(table_of("objid,level2\n1,egg\n"), [], FILE)
