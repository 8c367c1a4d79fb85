"""Truth and predictions files: read, named in errors, and matched by id."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...data_manifests.errors import PlanktonbenchError, SubmissionError, did_you_mean, listed
from ...data_manifests.files.tables import canonical_text, lines_of, not_among, read_table, require_column

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_GROUP = "sample"
SCORE = "score:"  # what the name of a column of scores begins with, before the class


@dataclass(frozen=True)
class Labels:
    """A table of labels.

    Attributes:
        where: file or argument it comes from, for messages.
        table: columns object_id, taxon and, when there is one, group; text; object_id is unique.
        group: name of the grouping column, or None.
        renamed: column names of the field that were accepted for ours.

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
        what: `truth` or `predictions`, the name of a table in messages.
        group: grouping column that must be there; None takes `sample` when there is one.
        error: class of the error when the file is no table; a stored file is not a participant's.

    Raises:
        SubmissionError: no table, a column is missing, no rows, empty cells, or an id twice.

    """
    path = Path(source) if isinstance(source, (str, Path)) else Path(f"({what})")
    table = read_table(path, error) if isinstance(source, (str, Path)) else source
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        message = f"{path}: columns {listed(twice)} are there more than once; expected each name once."
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
    _refuse_empty(labels, columns, path)
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


def _refuse_empty(labels: pd.DataFrame, columns: dict[str, str], path: Path) -> None:
    for noun in labels.columns:
        empty, found = labels[noun].isna(), columns[noun]
        if empty.any():
            rows = lines_of(path, [int(row) for row in empty.to_numpy().nonzero()[0]])
            advice = "; an object that was not recognised needs a class all the same" if noun == "taxon" else ""
            message = (
                f"{path}: {len(rows):,} rows have no '{found}' (lines {listed(rows)}). "
                f"Expected a value in every row{advice}."
            )
            raise SubmissionError(message)


def match(truth: Labels, predicted: Labels) -> pd.DataFrame:
    """Match predictions to truth by id.

    Returns:
        Columns object_id, taxon, predicted and, when the truth has one, group; sorted by object_id, so the order
        of rows in the files does not matter.

    Raises:
        SubmissionError: an object has no prediction, or a prediction has no object.

    """
    known, given = truth.table["object_id"], predicted.table["object_id"]
    missing = known[not_among(known, given)]
    unknown = given[not_among(given, known)]
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
    """Read a class list: a text file, one name a line; empty lines are skipped.

    Raises:
        SubmissionError: the file is missing, is no text, is empty, or names a class twice.

    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        message = f"{path} is no readable class list (a text file, one name a line): {fault}"
        raise SubmissionError(message) from fault
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        message = f"{path}: no class name in it; expected one a line."
        raise SubmissionError(message)
    refuse_twice(names, str(path))
    return names


def refuse_twice(names: list[str], where: str) -> None:
    """Refuse a class list that names a class twice.

    Raises:
        SubmissionError: with the names.

    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        message = f"{where}: names twice: {listed(twice)}; expected one a line."
        raise SubmissionError(message)
