"""CSV files of answers: words, checks, and writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from planktonbench import DataError
from planktonbench.benchmarks.mining.answers import Answer, read_answers, write_answers

if TYPE_CHECKING:
    from pathlib import Path

IMAGES, TAXA = ["1.png", "a/2.png", "3.png"], ["Salpa", "egg"]


def read(path: Path, text: str) -> list[Answer]:
    """Return the answers in a text."""
    file = path / "answers.csv"
    file.write_text(f"image,taxon,answer\n{text}", encoding="utf-8")
    return read_answers(file, IMAGES, TAXA)


@pytest.mark.parametrize(("yes", "no"), [("yes", "no"), ("True", "FALSE"), ("1", "0"), (" Y", "n "), ("1.0", "0.0")])
def test_words_for_yes_and_no(tmp_path: Path, yes: str, no: str) -> None:
    """Capitals and blanks do not matter."""
    found = read(tmp_path, f"1.png,Salpa,{yes}\na/2.png,Salpa,{no}\n")

    assert found == [Answer("1.png", "Salpa", yes=True), Answer("a/2.png", "Salpa", yes=False)]


def test_an_image_may_be_rejected_for_several_taxa(tmp_path: Path) -> None:
    """Repeated answers count once."""
    found = read(tmp_path, "1.png,Salpa,no\n1.png,egg,no\n1.png,Salpa,no\n")

    assert found == [Answer("1.png", "Salpa", yes=False), Answer("1.png", "egg", yes=False)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.png,Salpa,maybe\n", r"answer is maybe in lines 2; expected yes or no, true or false, 1 or 0"),
        ("1.png,Salpa,\n", r"answer is \(empty\) in lines 2"),
        ("1.png,Salpae,yes\n", r"taxon is Salpae in lines 2; expected one of the examples. Did you mean Salpa\?"),
        ("1.png,egg,no\n2.png,egg,no\n", r"image is 2.png in lines 3; expected a path inside the unlabelled images"),
        ("1.png,egg,yes\n1.png,egg,no\n", r"yes and no for the same taxon: 1.png. Keep one answer"),
        ("1.png,egg,yes\n1.png,Salpa,yes\n", r"yes for several taxa: 1.png \(Salpa and egg\)"),
    ],
)
def test_wrong_answers_are_reported(tmp_path: Path, text: str, message: str) -> None:
    """The message states the value and the line."""
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)


def test_a_missing_column_is_reported(tmp_path: Path) -> None:
    """The message names the columns that exist."""
    file = tmp_path / "answers.csv"
    file.write_text("image,taxon\n1.png,egg\n", encoding="utf-8")

    with pytest.raises(DataError, match=r"has no column 'answer'; its columns are image, taxon"):
        read_answers(file, IMAGES, TAXA)


def test_written_answers_are_read_again(tmp_path: Path) -> None:
    """Order and unusual names are kept."""
    answers = [Answer('b, "c".png', "egg, round", yes=True), Answer("ä.png", "Salpa", yes=False)]
    write_answers(tmp_path / "new" / "answers.csv", answers)

    found = read_answers(tmp_path / "new" / "answers.csv", ['b, "c".png', "ä.png"], ["egg, round", "Salpa"])

    assert found == answers


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    """The error is one of the user's files."""
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(DataError, match=r"answers.csv cannot be written"):
        write_answers(tmp_path / "file" / "answers.csv", [])
