"""Truth and predictions files: read under the field's names, matched by id, refused with what to mend."""

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


def refusal(truth: Path, path: Path, **choices: str | Path) -> str:
    """Return the message with which a predictions file is refused."""
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
def test_a_bad_table_is_refused_with_what_to_mend(
    truth: Path, change: Callable[[pd.DataFrame], pd.DataFrame], words: list[str], suffix: str
) -> None:
    """The message names the file, what is wrong, how often, and the first of them."""
    path = truth.with_name(f"mine.{suffix}")
    table = change(PREDICTED)
    table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path, index=False)
    message = refusal(truth, path)

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
def test_rubbish_is_the_authors_to_mend(truth: Path, name: str, content: bytes | None, words: str) -> None:
    """Bytes that are no table, and a missing file, are refused by name; the same holds for the truth."""
    path = truth.with_name(name)
    if content is not None:
        path.write_bytes(content)

    assert refusal(truth, path).startswith(f"{path} {words}")
    assert refusal(path, truth).startswith(f"{path} {words}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no class name in it; expected one a line"),
        (" \n\n", "no class name in it"),
        ("egg\nCopepoda\negg\n", "names twice: egg; expected"),
        (None, "is no readable class list (a text file, one name a line)"),
        (b"\xff\xfe\x00", "is no readable class list"),
        ("egg\nCopepoda\n", "detritus not in the class list of 2"),
        ("egg\nCopepoda\nDetritus\n", "Did you mean Detritus?"),
    ],
)
def test_a_bad_class_list_is_refused(truth: Path, text: str | bytes | None, words: str) -> None:
    """A list that is missing, unreadable, empty, ambiguous, or lacks a class of the truth, is told."""
    path = truth.with_name("classes.txt")
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    message = refusal(truth, truth, classes=path)

    assert words in message
    assert (path.name if "not in" not in message else truth.name) in message


def test_an_unknown_called_name_is_refused_with_near_matches(truth: Path) -> None:
    """With a class list, the message names the predictions file, the name, the list's length and what is near."""
    truth.with_name("classes.txt").write_text("Copepoda\ndetritus\negg\n")
    mine = truth.with_name("mine.csv")
    PREDICTED.replace({"taxon": {"egg": "eg"}}).to_csv(mine, index=False)

    assert refusal(truth, mine, classes=truth.with_name("classes.txt")) == (
        f"{mine}: eg not in the class list of 3. Did you mean egg?"
    )


def test_a_class_list_is_read_line_by_line(tmp_path: Path) -> None:
    """Empty lines, spaces around names and a byte-order mark do not matter; the order stays."""
    (tmp_path / "classes.txt").write_bytes("\ufeffegg (other)\r\n\r\n  Méduse \n".encode())

    assert read_classes(tmp_path / "classes.txt") == ["egg (other)", "Méduse"]


def test_an_unknown_group_is_refused_with_near_matches(truth: Path) -> None:
    """A grouping column that is not there is told, with what is near."""
    assert refusal(truth, truth, group="sampel") == f"{truth} has no grouping column 'sampel'. Did you mean sample?"


@pytest.mark.parametrize("gap", [None, "", "  "])
def test_a_group_with_gaps_is_refused(truth: Path, gap: str | None) -> None:
    """A grouping column that is asked for must have a value for each object; blank cells are none."""
    TRUTH.replace({"sample": {"s0": gap}}).to_parquet(truth.with_name("truth.parquet"))

    assert "truth.parquet: 5 rows have no 'sample'" in refusal(truth.with_name("truth.parquet"), truth, group="sample")


def test_a_sample_column_with_gaps_is_not_taken_unasked() -> None:
    """When nobody asks for groups, an incomplete `sample` is left alone, and single objects are resampled."""
    found = score(TRUTH.replace({"sample": {"s0": None}}), PREDICTED, draws=10)

    assert "|ci:object-10|" in found.signature


@pytest.mark.parametrize("ids", [FEW["object_id"].astype(float), ["1.0", " 2 ", "3."], ["1", "2", "3"]])
def test_ids_are_matched_as_canonical_text(ids: object) -> None:
    """`1.0` is `1`, whatever the type of the column."""
    rows = match(read_labels(FEW, "truth"), read_labels(FEW.assign(object_id=ids), "predictions"))

    assert rows["object_id"].tolist() == ["1", "2", "3"]
    assert rows["predicted"].tolist() == rows["taxon"].tolist()


def test_ids_that_become_the_same_are_twice() -> None:
    """`1` and `1.0` in one file are one object."""
    with pytest.raises(SubmissionError, match=re.escape("(predictions): 1 ids occur more than once: 1.")):
        read_labels(FEW.assign(object_id=["1", "1.0", "2"]), "predictions")


def test_rows_are_matched_by_id_and_sorted() -> None:
    """Neither file's order matters, and the group comes with its object."""
    rows = match(
        read_labels(TRUTH[::-1], "truth"), read_labels(PREDICTED.sample(frac=1, random_state=0), "predictions")
    )

    assert rows["object_id"].tolist() == sorted(map(str, range(1, 31)))
    assert (rows["taxon"] == rows["predicted"]).all()
    assert rows["group"].tolist() == [f"s{(int(number) - 1) % 6}" for number in rows["object_id"]]


@pytest.mark.parametrize("id_name", ["object_id", "objid", "imgname"])
@pytest.mark.parametrize("taxon_name", ["taxon", "level2", "label"])
@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet"])
def test_spellings_of_the_field_are_read_and_reported(
    tmp_path: Path, id_name: str, taxon_name: str, suffix: str
) -> None:
    """Columns under other names are ours, in CSV and parquet, and which were accepted is told."""
    path = tmp_path / f"mine.{suffix}"
    table = FEW.rename(columns={"object_id": id_name, "taxon": taxon_name}).assign(**{"score:egg": np.float32(0.5)})
    table.to_parquet(path) if suffix == "parquet" else table.to_csv(path, index=False)
    labels = read_labels(path, "predictions")
    pairs = [("object_id", id_name), ("taxon", taxon_name)]

    assert labels.table.to_dict("list") == {"object_id": ["1", "2", "3"], "taxon": FEW["taxon"].tolist()}
    assert labels.renamed == tuple(f"'{found}' as {ours}" for ours, found in pairs if ours != found)
    assert (labels.where, labels.group) == (str(path), None)


def test_the_text_nan_is_no_class(tmp_path: Path) -> None:
    """Missing labels are refused, and never read as a class called "nan"."""
    (tmp_path / "truth.csv").write_text("objid,level2\n1,egg\n2,nan\n3,NA\n4,\n")
    with pytest.raises(SubmissionError, match=r"3 rows have no 'level2' \(lines 3, 4, 5\)"):
        read_labels(tmp_path / "truth.csv", "truth")
