"""Truth and predictions files: reading, validation, and matching by id."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...data_manifests.errors import PlanktonbenchError, SubmissionError, did_you_mean, listed
from ...data_manifests.files.tables import canonical_text, lines_of, not_in, read_table, require_column

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_GROUP = "sample"
SCORE = "score:"  # prefix of score columns, followed by the class name


@dataclass(frozen=True)
class Labels:
    """Table of labels.

    Attributes:
        where: file or argument it comes from, for messages.
        table: text columns object_id, taxon and, if there is a grouping column, group; object_id is unique.
        group: name of the grouping column, or None.
        renamed: alternative column names that were accepted.

    """

    where: str
    table: pd.DataFrame
    group: str | None
    renamed: tuple[str, ...]


def read_labels(
    source: str | Path | pd.DataFrame,
    what: str,
    group: str | None = None,
    *,
    error: type[PlanktonbenchError] = SubmissionError,
) -> Labels:
    """Read a truth or predictions table.

    Args:
        source: a CSV or parquet file, or a table.
        what: `truth` or `predictions`, used in messages about a table.
        group: required grouping column; None uses `sample` if present.
        error: exception class if the file is not readable; stored files are not submissions.

    Raises:
        SubmissionError: the file is not readable, a column is missing, there are no rows, cells are empty, or an id is
            duplicated.

    """
    path = Path(source) if isinstance(source, (str, Path)) else Path(f"({what})")
    table = read_table(path, error) if isinstance(source, (str, Path)) else source
    duplicated = table.columns[table.columns.duplicated()]
    if len(duplicated):
        message = (
            f"{path}: duplicate columns: {listed(duplicated)}. Expected unique names; rename or remove the others."
        )
        raise SubmissionError(message)
    columns = {noun: require_column(table, noun, path, SubmissionError) for noun in ("object_id", "taxon")}
    if not len(table):
        message = f"{path} has a header but no rows; expected one row per object."
        raise SubmissionError(message)
    chosen = _group_column(table, group, path)
    if chosen:
        columns["group"] = chosen
    labels = table[list(columns.values())].apply(canonical_text)
    labels.columns = list(columns)
    if chosen and group is None and labels["group"].isna().any():
        labels, chosen = labels.drop(columns="group"), None
    _check_empty(labels, columns, path)
    repeated = labels["object_id"][labels["object_id"].duplicated()].unique()
    if len(repeated):
        message = f"{path}: {len(repeated):,} ids occur more than once: {listed(repeated)}. Keep one row per object."
        raise SubmissionError(message)
    renamed = tuple(f"'{columns[noun]}' as {noun}" for noun in ("object_id", "taxon") if columns[noun] != noun)
    return Labels(str(path), labels, chosen, renamed)


def _group_column(table: pd.DataFrame, group: str | None, path: Path) -> str | None:
    if group is None:
        return DEFAULT_GROUP if DEFAULT_GROUP in table.columns else None
    if group not in table.columns:
        names = [str(name) for name in table.columns]
        message = f"{path} has no grouping column '{group}'. {did_you_mean(group, names)}"
        raise SubmissionError(message)
    return group


def _check_empty(labels: pd.DataFrame, columns: dict[str, str], path: Path) -> None:
    for noun in labels.columns:
        empty, found = labels[noun].isna(), columns[noun]
        if empty.any():
            rows = lines_of(path, [int(row) for row in empty.to_numpy().nonzero()[0]])
            advice = "; unrecognised objects need a class, too" if noun == "taxon" else ""
            message = (
                f"{path}: {len(rows):,} rows have no '{found}' (lines {listed(rows)}). "
                f"Expected a value in every row{advice}."
            )
            raise SubmissionError(message)


def match(truth: Labels, predicted: Labels) -> pd.DataFrame:
    """Match predictions to truth by id.

    Returns:
        Columns object_id, taxon, predicted and, if the truth has a group, group; sorted by object_id, so the order
        of rows in the files does not matter.

    Raises:
        SubmissionError: an object has no prediction, or a prediction has no object.

    """
    known, submitted = truth.table["object_id"], predicted.table["object_id"]
    missing = known[not_in(known, submitted)]
    unknown = submitted[not_in(submitted, known)]
    faults = []
    if len(missing):
        faults.append(f"{len(missing):,} of {len(known):,} objects have no prediction: {listed(sorted(missing))}")
    if len(unknown):
        faults.append(f"{len(unknown):,} ids are not in the truth: {listed(sorted(unknown))}")
    if faults:
        message = f"{predicted.where}: {'; '.join(faults)}. Expected exactly the ids of {truth.where}, each once."
        raise SubmissionError(message)
    taxa = predicted.table[["object_id", "taxon"]].rename(columns={"taxon": "predicted"})
    return truth.table.merge(taxa, on="object_id", validate="one_to_one").sort_values("object_id", ignore_index=True)


def read_classes(path: Path) -> list[str]:
    """Read a class list: a text file with one name per line; empty lines are skipped.

    Raises:
        SubmissionError: the file is missing, is not a text file, is empty, or has duplicates.

    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        message = f"{path} is not a readable class list (expected a text file with one name per line): {fault}"
        raise SubmissionError(message) from fault
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        message = f"{path} has no class names; expected one per line."
        raise SubmissionError(message)
    check_unique(names, str(path))
    return names


def check_unique(names: list[str], where: str) -> None:
    """Check that a class list has no duplicates.

    Raises:
        SubmissionError: it has; the message lists them.

    """
    duplicated = sorted({name for name in names if names.count(name) > 1})
    if duplicated:
        message = f"{where}: duplicate names: {listed(duplicated)}. Expected unique names; remove the duplicates."
        raise SubmissionError(message)
