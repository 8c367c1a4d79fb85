"""Feature columns: measurements are features; ids, names and labels are not."""

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
    """Read CSV text like a native table."""
    return pd.read_csv(io.StringIO(text))


@pytest.mark.parametrize("column", [*META, *ECOTAXA, "sample", "img_file_name", "classif_id", "set", "x", "ystart"])
def test_ids_names_and_labels_are_not_features(column: str) -> None:
    """Neither are dates, positions and lineages, regardless of case, spaces and prefix."""
    spellings = [column, column.upper(), f" {column.title()} ", f"object_{column}", f"OBJECT_{column}"]

    assert [name for name in spellings if not is_never_a_feature(name)] == []


@pytest.mark.parametrize(
    "column", ["level2_num", "object_aphiaid", "acquis_id", "Particle ID", "Capture X", "Elapsed Time"]
)
def test_columns_of_real_exports_are_recognised(column: str) -> None:
    """Names with spaces and numbers of taxa are never features either."""
    assert is_never_a_feature(column)


def test_published_features_are_features() -> None:
    """None of the 64 published features of FlowCam is excluded."""
    if not PUBLISHED.is_file():
        pytest.skip(f"no published features at {PUBLISHED}")
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        names = [row["feature"] for row in csv.DictReader(file) if row["feature"] != "level2_num"]  # a label

    assert len(names) == 64
    assert [name for name in names if is_never_a_feature(name) or is_never_a_feature(f"object_{name}")] == []


@pytest.mark.parametrize("column", ["secret", " Secret", "object_secret", "Object_SECRET"])
@pytest.mark.parametrize("extra", ["secret", "SECRET ", "object_secret"])
def test_extra_names_are_excluded(column: str, extra: str) -> None:
    """Names in never_features of a manifest are excluded regardless of case, spaces and prefix."""
    assert not is_never_a_feature(column)
    assert is_never_a_feature(column, [extra])


def test_features_are_in_file_order() -> None:
    """A column without values is a feature, too."""
    table = table_of("objid,width,Level2,area,empty,extra\n1,2.5,egg,3,,4\n")

    assert feature_columns(table, ["extra"], FILE) == ["width", "area", "empty"]


def test_text_in_a_numeric_column_is_an_error() -> None:
    """The message has the file, column, first wrong cell, its line, the number of such cells, and advice."""
    table = table_of('objid,area\n1,2\n2,\n3,"3,5"\n4,big\n')
    with pytest.raises(DataError) as caught:
        feature_columns(table, [], FILE)

    assert str(caught.value) == (
        "features_native.csv: column 'area' should be numeric but contains '3,5' in line 4 (2 such cells). "
        "Correct the cells, or list the column under never_features in the manifest if it is not a feature."
    )


@pytest.mark.parametrize(
    ("content", "line"),
    [("\n\n1,2\n\n2,big\n", 5), ("\n  \n1,2\n2,big\n", 4), ('\n"a\nb",1\n2,big\n', 4)],
    ids=["empty lines", "blanks", "quoted line end"],
)
def test_the_message_has_the_line_of_the_file(tmp_path: Path, content: str, line: int) -> None:
    """Empty lines and line breaks in quoted cells are counted."""
    path = tmp_path / "features_native.csv"
    path.write_text(f"objid,area{content}")
    with pytest.raises(DataError, match=f"'big' in line {line}"):
        feature_columns(read_table(path, DataError, text=["objid"]), [], path)


@pytest.mark.parametrize("cells", ["True\n2,False", "True\n2,"])
def test_boolean_columns_are_an_error(cells: str) -> None:
    """The message has the first boolean cell and the number of such cells."""
    with pytest.raises(DataError, match="column 'flag' should be numeric") as caught:
        feature_columns(table_of(f"objid,flag\n1,{cells}\n"), [], FILE)

    assert "True" in str(caught.value) or "bool" in str(caught.value)
    assert "(0 such cells)" not in str(caught.value)


def test_a_table_without_features_is_an_error() -> None:
    """The message lists the existing columns."""
    with pytest.raises(DataError, match=r"^features_native\.csv has no feature column; its columns are objid, level2"):
        feature_columns(table_of("objid,level2\n1,egg\n"), [], FILE)
