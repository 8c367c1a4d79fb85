"""Tests of tables: column types, error messages, canonical ids and accepted column names."""

from __future__ import annotations

import contextlib
import doctest
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planktonbench.data_manifests.errors import DataError, SubmissionError
from planktonbench.data_manifests.files import tables
from planktonbench.data_manifests.files.tables import (
    MISSING,
    canonical_text,
    find_column,
    not_in,
    read_table,
    require_column,
    table_sha256,
)

NUMBERS = st.from_regex(r"[ ]?[+-]?\d{1,3}(\.\d{0,3})?([eE][+-]?\d{1,2})?[ ]?", fullmatch=True)
TEXTS = st.lists(NUMBERS | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=9)


def test_cells_are_read_as_text_by_default(tmp_path: Path) -> None:
    """Leading and trailing zeros are preserved, and only the cells in `MISSING` are missing values."""
    path = tmp_path / "a.csv"
    path.write_text("objid,level2\n007,None\n1.0,-\n" + "".join(f"{cell},{cell}\n" for cell in MISSING if cell))
    table = read_table(path, DataError)

    assert list(table["objid"][:2]) == ["007", "1.0"]
    assert list(table["level2"][:2]) == ["None", "-"]
    assert table[2:].isna().all(axis=None)


def test_only_named_columns_are_read_as_text(tmp_path: Path) -> None:
    """With `text`, ids are unchanged; other columns are numeric only if every cell is a number."""
    path = tmp_path / "a.csv"
    path.write_text("objid,area,flag\n01,1,1\n2.0,,x\n")
    table = read_table(path, DataError, text=["objid", "object_id"])

    assert list(table["objid"]) == ["01", "2.0"]
    assert table["area"].dtype == "float64"
    assert list(table["flag"]) == ["1", "x"]


@pytest.mark.parametrize(("first", "last"), [("007", "x"), ("x", "1.50"), ("True", "x"), ("1", "true")])
def test_column_types_depend_on_all_cells(tmp_path: Path, first: str, last: str) -> None:
    """A column with a million numbers and a few cells of text, or vice versa, is read unchanged as text."""
    cells = [first] * 1_000_000 + [last] * 5
    path = tmp_path / "a.csv"
    path.write_text("objid,flag\n" + "".join(f"1,{cell}\n" for cell in cells))
    flags = read_table(path, DataError, text=["objid"])["flag"]

    assert flags.dtype == "str"
    assert flags.equals(pd.Series(cells, dtype="str", name="flag"))


def test_all_formats_give_the_same_table(tmp_path: Path) -> None:
    """CSV, CSV with a byte-order mark, gzipped CSV and parquet are supported."""
    expected = pd.DataFrame({"objid": ["1", "2"], "label": ["Méduse", "egg, other"]}).astype("str")
    content = expected.to_csv(index=False).encode()
    (tmp_path / "a.csv").write_bytes(content)
    (tmp_path / "b.csv").write_bytes(b"\xef\xbb\xbf" + content)
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(content))
    expected.to_parquet(tmp_path / "d.parquet")

    for path in sorted(tmp_path.iterdir()):
        pd.testing.assert_frame_equal(expected, read_table(path, DataError))


@pytest.mark.parametrize("error", [DataError, SubmissionError])
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", None, "does not exist"),
        ("a.parquet", None, "does not exist"),
        ("a.csv", b"", "is empty; expected a table with a header line"),
        ("a.csv", b"objid\n\xff\xff\n", "is not a readable table (CSV in UTF-8, or .parquet)"),
        ("a.csv", b"objid,a\n1,2\n1,2,3\n", "is not a readable table (CSV in UTF-8, or .parquet)"),
        ("a.parquet", b"objid", "is not a readable table (CSV in UTF-8, or .parquet)"),
    ],
)
def test_an_unreadable_table_is_reported(
    tmp_path: Path, error: type[DataError | SubmissionError], name: str, content: bytes | None, words: str
) -> None:
    """The error has the given class, and its message of one line names the file and the expected format."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error) as caught:
        read_table(path, error)

    assert str(caught.value).startswith(f"{path} {words}")
    assert "\n" not in str(caught.value)


def test_rows_longer_than_the_header_do_not_shift_columns(tmp_path: Path) -> None:
    """A file with a comma at the end of each row is rejected or read correctly; taxa are not read as ids."""
    path = tmp_path / "a.csv"
    path.write_text("objid,level2\n1,Copepoda,\n2,egg,\n")
    ids = ["1", "2"]
    with contextlib.suppress(DataError):
        ids = list(read_table(path, DataError)["objid"])

    assert ids == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "columns", "expected"),
    [
        ("object_id", ["imgname", "objid", "object_id"], "object_id"),
        ("object_id", ["imgname", "objid"], "objid"),
        ("object_id", ["imgname"], "imgname"),
        ("taxon", ["label", "level2"], "level2"),
        ("taxon", ["label"], "label"),
        ("lineage", ["object_annotation_hierarchy"], "object_annotation_hierarchy"),
        ("set", ["Set"], None),
    ],
)
def test_columns_are_found_by_accepted_names(name: str, columns: list[str], expected: str | None) -> None:
    """The standard name has priority, followed by its alternatives in order."""
    assert expected == find_column(pd.DataFrame(columns=columns), name)


def test_a_missing_column_is_reported() -> None:
    """The message names the file, all accepted names, and the columns of the table."""
    table = pd.DataFrame(columns=["id", *(f"c{number}" for number in range(30))])
    with pytest.raises(SubmissionError) as caught:
        require_column(table, "taxon", Path("truth.csv"), SubmissionError)

    assert str(caught.value).startswith(
        "truth.csv has no column 'taxon' or 'taxon_level1' or 'level2' or 'label'; its columns are id"
    )
    assert "(31 in all)" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.0", "1"),
        ("1.", "1"),
        ("-2.000", "-2"),
        (" 12 ", "12"),
        ("1e3", "1000"),
        ("2.5E+1", "25"),
        ("2.55e1", "2.55e1"),
        ("007", "007"),
        ("1.50", "1.50"),
        ("a.0", "a.0"),
        ("1.0.0", "1.0.0"),
        ("12e3", "12e3"),
        ("1e99999999999999999999", "1e99999999999999999999"),
    ],
)
def test_only_integers_are_normalised(text: str, expected: str) -> None:
    """`1.0` becomes `1` and `1e3` becomes `1000`; other text is unchanged."""
    assert list(canonical_text(pd.Series([text]))) == [expected]


@given(TEXTS)
def test_canonical_text_is_idempotent(texts: list[str]) -> None:
    """A second conversion changes nothing, and each cell is converted independently."""
    once = canonical_text(pd.Series(texts, dtype="str"))

    assert list(once) == list(canonical_text(once))
    assert list(once) == [canonical_text(pd.Series([text], dtype="str")).iloc[0] for text in texts]


@given(st.lists(st.integers(-(2**53), 2**53), min_size=1))
def test_ids_do_not_depend_on_dtype(numbers: list[int]) -> None:
    """Integer, float and text columns give the same ids, with or without a decimal point."""
    columns = [
        pd.Series(numbers, dtype="int64"),
        pd.Series(numbers, dtype="Int64"),
        pd.Series(numbers, dtype="float64"),
        pd.Series(numbers, dtype="object"),
        pd.Series([f"{number}.0" for number in numbers]),
    ]

    for column in columns:
        assert [str(number) for number in numbers] == list(canonical_text(column))


@pytest.mark.parametrize("dtype", ["str", "object", "float64", "Int64"])
def test_missing_values_are_preserved(dtype: str) -> None:
    """Missing values are not converted to the text "nan", for any dtype."""
    values = canonical_text(pd.Series([1, None], dtype="object").astype(dtype))

    assert list(values.isna()) == [False, True]
    assert values[0] == "1"


def test_other_floats_are_unchanged() -> None:
    """Fractions and infinity are supported."""
    assert list(canonical_text(pd.Series([1.5, 2.0, float("inf")]))) == ["1.5", "2", "inf"]


CONTENT = pd.DataFrame(
    {
        "object_id": ["b", "a", "c"],
        "taxon": ["x", None, "y"],
        "score": np.array([0.1, np.nan, 0.0], np.float32),
        "cluster": [1, 2, 3],
    }
)


@pytest.mark.parametrize("compression", ["snappy", "zstd"])
def test_the_hash_of_a_table_depends_on_its_content_only(tmp_path: Path, compression: str) -> None:
    """The file format, its compression, the order of rows and columns, and the width of integers do not matter."""
    CONTENT.astype({"cluster": "int16"})[::-1].to_parquet(tmp_path / "t.parquet", compression=compression)
    read = pd.read_parquet(tmp_path / "t.parquet")

    assert table_sha256(read[["score", "cluster", "taxon", "object_id"]]) == table_sha256(CONTENT)


@pytest.mark.parametrize("column", CONTENT.columns)
def test_each_cell_changes_the_hash_of_a_table(column: str) -> None:
    """Exchanging two values of any column changes it, and so does a missing value."""
    exchanged = CONTENT.assign(**{column: CONTENT[column].to_numpy()[[2, 1, 0]]})
    blank = CONTENT.assign(**{column: CONTENT[column].where(CONTENT.index != 0)})

    assert len({table_sha256(CONTENT), table_sha256(exchanged), table_sha256(blank)}) == 3


def test_docstring_examples() -> None:
    """All examples in docstrings give the shown output."""
    result = doctest.testmod(tables)

    assert result.attempted > 0
    assert result.failed == 0


@given(st.lists(st.text(max_size=3)), st.lists(st.text(max_size=3), unique=True))
def test_not_in_agrees_with_isin(ids: list[str], known: list[str]) -> None:
    """The mask is the inverse of `isin`, which is slow for text."""
    column = pd.Series(ids, dtype="str")

    assert not_in(column, known).tolist() == (~column.isin(known)).tolist()
