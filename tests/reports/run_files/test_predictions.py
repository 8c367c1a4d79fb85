"""Truth and predictions files: read with alternative column names, matched by id, rejected with helpful messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench import SubmissionError, score
from planktonbench.reports.run_files.predictions import match, read_classes, read_labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TRUTH = pd.DataFrame(
    {
        "object_id": range(1, 31),
        "taxon": ["Copepoda", "detritus", "egg"] * 10,
        "sample": [f"s{n % 6}" for n in range(30)],
    }
)
PREDICTED = TRUTH[["object_id", "taxon"]]
FEW = PREDICTED[:3].reset_index(drop=True)


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """A truth file of 30 objects."""
    TRUTH.to_csv(tmp_path / "truth.csv", index=False)
    return tmp_path / "truth.csv"


def error_message(truth: Path, path: Path, **choices: str | Path) -> str:
    """Return the message of the error that a predictions file raises."""
    with pytest.raises(SubmissionError) as caught:
        score(truth, path, draws=10, **choices)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda table: table[7:],
            ["7 of 30 objects have no prediction: 1, 2, 3, 4, 5, 6, 7.", "truth.csv, each once"],
        ),
        (lambda table: table[12:], ["12 of 30 objects", "(12 in all)"]),
        (
            lambda table: table.replace({"object_id": {30: 99}}),
            ["1 of 30 objects have no prediction: 30", "1 ids are not in the truth: 99"],
        ),
        (lambda table: pd.concat([table, table[:2]]), ["2 ids occur more than once: 1, 2. Keep one row per object"]),
        (lambda table: table.replace({"taxon": {"egg": None}}), ["10 rows have no 'taxon' (lines 4, 7, 10,"]),
        (lambda table: table.replace({"taxon": {"egg": " "}}), ["10 rows have no 'taxon'"]),
        (lambda table: table.replace({"object_id": {2: None}}), ["1 rows have no 'object_id' (lines 3)"]),
        (
            lambda table: table.rename(columns={"taxon": "class"}),
            ["has no column 'taxon' or 'taxon_level1' or", "its columns are object_id, class"],
        ),
        (lambda table: table.drop(columns="object_id"), ["has no column 'object_id' or 'objid' or 'imgname'"]),
        (lambda table: table[:0], ["has a header but no rows; expected one row per object"]),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_invalid_table_is_rejected(
    truth: Path, change: Callable[[pd.DataFrame], pd.DataFrame], words: list[str], suffix: str
) -> None:
    """The message has the path, the fault, the number of rows concerned, and examples."""
    path = truth.with_name(f"mine.{suffix}")
    table = change(PREDICTED)
    table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path, index=False)
    message = error_message(truth, path)

    assert str(path) in message
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("mine.csv", b"", "is empty; expected a table with a header line"),
        ("mine.csv", b"\x00\xff\xfe rubbish", "is not a readable table (CSV in UTF-8, or .parquet)"),
        ("mine.csv", "object_id,taxon\n1,egg".encode("utf-16"), "is not a readable table"),
        ("mine.csv", b"PK\x03\x04 rubbish", "has no column"),
        ("mine.parquet", b"PAR1 rubbish", "is not a readable table"),
        ("mine.csv", None, "does not exist"),
        ("mine.parquet", None, "does not exist"),
    ],
)
def test_an_unreadable_file_is_rejected(truth: Path, name: str, content: bytes | None, words: str) -> None:
    """The message has the path; this applies to predictions and truth alike."""
    path = truth.with_name(name)
    if content is not None:
        path.write_bytes(content)

    assert error_message(truth, path).startswith(f"{path} {words}")
    assert error_message(path, truth).startswith(f"{path} {words}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no class names; expected one per line"),
        (" \n\n", "has no class names"),
        ("egg\nCopepoda\negg\n", "duplicate names: egg. Expected"),
        (None, "is not a readable class list (expected a text file with one name per line)"),
        (b"\xff\xfe\x00", "is not a readable class list"),
        ("egg\nCopepoda\n", "detritus not in the class list of 2"),
        ("egg\nCopepoda\nDetritus\n", "Did you mean Detritus?"),
    ],
)
def test_an_invalid_class_list_is_rejected(truth: Path, text: str | bytes | None, words: str) -> None:
    """It may be missing, unreadable, empty, contain duplicates, or lack a class of the truth."""
    path = truth.with_name("classes.txt")
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    message = error_message(truth, truth, classes=path)

    assert words in message
    assert (path.name if "not in" not in message else truth.name) in message


def test_an_unknown_predicted_name_is_rejected_with_near_matches(truth: Path) -> None:
    """With a class list, the message has the path, the name, the length of the list and near matches."""
    truth.with_name("classes.txt").write_text("Copepoda\ndetritus\negg\n")
    mine = truth.with_name("mine.csv")
    PREDICTED.replace({"taxon": {"egg": "eg"}}).to_csv(mine, index=False)

    assert error_message(truth, mine, classes=truth.with_name("classes.txt")) == (
        f"{mine}: eg not in the class list of 3. Did you mean egg?"
    )


def test_a_class_list_is_read_line_by_line(tmp_path: Path) -> None:
    """Empty lines, surrounding spaces and a byte-order mark are ignored; the order is kept."""
    (tmp_path / "classes.txt").write_bytes("\ufeffegg (other)\r\n\r\n  Méduse \n".encode())

    assert read_classes(tmp_path / "classes.txt") == ["egg (other)", "Méduse"]


def test_an_unknown_grouping_column_is_rejected_with_near_matches(truth: Path) -> None:
    """The message has the path, the name and near matches."""
    assert (
        error_message(truth, truth, group="sampel") == f"{truth} has no grouping column 'sampel'. Did you mean sample?"
    )


@pytest.mark.parametrize("gap", [None, "", "  "])
def test_a_grouping_column_with_missing_values_is_rejected(truth: Path, gap: str | None) -> None:
    """A requested grouping column must have a value for each object; blank cells count as missing."""
    TRUTH.replace({"sample": {"s0": gap}}).to_parquet(truth.with_name("truth.parquet"))

    assert "truth.parquet: 5 rows have no 'sample'" in error_message(
        truth.with_name("truth.parquet"), truth, group="sample"
    )


def test_an_incomplete_sample_column_is_not_used_by_default() -> None:
    """If no group is requested, an incomplete `sample` is ignored, and single objects are resampled."""
    found = score(TRUTH.replace({"sample": {"s0": None}}), PREDICTED, draws=10)

    assert "|ci:object-jackknife|bootstrap:10|" in found.signature


@pytest.mark.parametrize("ids", [FEW["object_id"].astype(float), ["1.0", " 2 ", "3."], ["1", "2", "3"]])
def test_ids_are_matched_as_canonical_text(ids: object) -> None:
    """`1.0` equals `1` for any column type."""
    rows = match(read_labels(FEW, "truth"), read_labels(FEW.assign(object_id=ids), "predictions"))

    assert rows["object_id"].tolist() == ["1", "2", "3"]
    assert rows["predicted"].tolist() == rows["taxon"].tolist()


def test_ids_with_equal_canonical_text_are_duplicates() -> None:
    """`1` and `1.0` in one file are the same object."""
    with pytest.raises(SubmissionError, match=re.escape("(predictions): 1 ids occur more than once: 1.")):
        read_labels(FEW.assign(object_id=["1", "1.0", "2"]), "predictions")


def test_rows_are_matched_by_id_and_sorted() -> None:
    """The order of both files does not matter, and the group is kept."""
    rows = match(
        read_labels(TRUTH[::-1], "truth"), read_labels(PREDICTED.sample(frac=1, random_state=0), "predictions")
    )

    assert rows["object_id"].tolist() == sorted(map(str, range(1, 31)))
    assert (rows["taxon"] == rows["predicted"]).all()
    assert rows["group"].tolist() == [f"s{(int(number) - 1) % 6}" for number in rows["object_id"]]


@pytest.mark.parametrize("id_name", ["object_id", "objid", "imgname"])
@pytest.mark.parametrize("taxon_name", ["taxon", "level2", "label"])
@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet"])
def test_alternative_column_names_are_read_and_reported(
    tmp_path: Path, id_name: str, taxon_name: str, suffix: str
) -> None:
    """Alternative names are accepted in CSV and parquet, and those used are reported."""
    path = tmp_path / f"mine.{suffix}"
    table = FEW.rename(columns={"object_id": id_name, "taxon": taxon_name}).assign(**{"score:egg": np.float32(0.5)})
    table.to_parquet(path) if suffix == "parquet" else table.to_csv(path, index=False)
    labels = read_labels(path, "predictions")
    pairs = [("object_id", id_name), ("taxon", taxon_name)]

    assert labels.table.to_dict("list") == {"object_id": ["1", "2", "3"], "taxon": FEW["taxon"].tolist()}
    assert labels.renamed == tuple(f"'{found}' as {standard}" for standard, found in pairs if standard != found)
    assert (labels.where, labels.group) == (str(path), None)


def test_the_text_nan_is_not_a_class(tmp_path: Path) -> None:
    """Missing labels are rejected and never read as a class named "nan"."""
    (tmp_path / "truth.csv").write_text("objid,level2\n1,egg\n2,nan\n3,NA\n4,\n")
    with pytest.raises(SubmissionError, match=r"3 rows have no 'level2' \(lines 3, 4, 5\)"):
        read_labels(tmp_path / "truth.csv", "truth")
