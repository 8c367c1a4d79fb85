"""Answers of an expert about suggested images, as read from and written to a CSV file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...data_manifests.errors import DataError, did_you_mean, listed
from ...data_manifests.files.atomic_writes import atomic_write, write_errors
from ...data_manifests.files.tables import lines_of
from .examples import IMAGE, TAXON, named_images

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    import pandas as pd

ANSWER = "answer"
WORDS = {
    "yes": True, "true": True, "1": True, "y": True, "1.0": True,
    "no": False, "false": False, "0": False, "n": False, "0.0": False,
}  # fmt: skip
ADVICE = "Free some disk space or choose another file."


@dataclass(frozen=True)
class Answer:
    """An answer about one image.

    Attributes:
        image: name of the image inside the unlabelled images.
        taxon: the novel class that was suggested.
        yes: whether the image is of this class.

    """

    image: str
    taxon: str
    yes: bool


def read_answers(path: Path, images: Collection[str], taxa: Collection[str]) -> list[Answer]:
    """Read answers, in the order of the file; an answer that is repeated counts once.

    Args:
        path: CSV file with the columns `image` as in a ranking, `taxon`, and `answer`: yes or no, true or false, 1
            or 0.
        images: names of the unlabelled images.
        taxa: names of the novel classes.

    Raises:
        DataError: the file is no such table, names other images or taxa, or contradicts itself.

    """
    table = named_images(path)
    if ANSWER not in table.columns:
        message = (
            f"{path} has no column '{ANSWER}'; its columns are {listed(table.columns, 20)}. Expected {IMAGE}, {TAXON} "
            f"and {ANSWER}, which is yes or no."
        )
        raise DataError(message)
    words = table[ANSWER].astype("str").str.strip().str.lower()
    _check(path, table[ANSWER], words.isin(WORDS), "answer", "expected yes or no, true or false, 1 or 0")
    names = sorted(taxa)
    unknown = table[TAXON][~table[TAXON].isin(names)]
    near = did_you_mean(unknown.iloc[0], names) if len(unknown) else ""
    _check(path, table[TAXON], table[TAXON].isin(names), "taxon", f"expected one of the examples. {near}")
    known = table[IMAGE].isin(list(images))
    _check(path, table[IMAGE], known, "image", "expected a path inside the unlabelled images, as in a ranking")
    answers = [Answer(*row) for row in zip(table[IMAGE], table[TAXON], words.map(WORDS), strict=True)]
    _check_consistent(path, answers)
    return list(dict.fromkeys(answers))


def _check(path: Path, values: pd.Series, valid: pd.Series, column: str, expected: str) -> None:
    """Report the values of a column that are not valid.

    Raises:
        DataError: some are not.

    """
    wrong = [row for row, is_valid in enumerate(valid) if not is_valid]
    if wrong:
        found = list(dict.fromkeys("(empty)" if value != value else str(value) for value in values.iloc[wrong]))  # noqa: PLR0124 - NaN
        message = (
            f"{path}: {column} is {listed(found)} in lines {listed(lines_of(path, wrong))}; {expected.rstrip('.')}."
        )
        raise DataError(message)


def _check_consistent(path: Path, answers: Iterable[Answer]) -> None:
    """Check that no image is both confirmed and rejected for a taxon, or confirmed for two.

    Raises:
        DataError: one is.

    """
    given = set(answers)
    both = sorted({one.image for one in given if Answer(one.image, one.taxon, not one.yes) in given})
    if both:
        message = f"{path}: yes and no for the same taxon: {listed(both)}. Keep one answer for each image and taxon."
        raise DataError(message)
    taxa: dict[str, list[str]] = {}
    for one in given:
        if one.yes:
            taxa.setdefault(one.image, []).append(one.taxon)
    several = [f"{image} ({' and '.join(sorted(names))})" for image, names in sorted(taxa.items()) if len(names) > 1]
    if several:
        message = f"{path}: yes for several taxa: {listed(several)}. An image is of one taxon; keep one yes."
        raise DataError(message)


def write_answers(path: Path, answers: Sequence[Answer]) -> None:
    """Write answers atomically, in their order.

    Raises:
        DataError: the file cannot be written.

    """

    def write(target: Path) -> None:
        with target.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow((IMAGE, TAXON, ANSWER))
            rows.writerows((one.image, one.taxon, "yes" if one.yes else "no") for one in answers)

    with write_errors(path, ADVICE):
        atomic_write(path, write)
