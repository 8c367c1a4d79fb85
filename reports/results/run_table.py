"""Tables over many runs: rows identified by run, with a reason where values are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ...data_manifests.errors import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .stored_run import StoredRun

    Rows = list[dict[str, object]]

KEYS = ("dataset", "simulated", "track", "split", "seed")
REASON = "reason"


def run_table(
    runs: Iterable[StoredRun], columns: Sequence[str], measure: Callable[[StoredRun], Rows | str]
) -> pd.DataFrame:
    """Collect the rows of all finished runs in one table.

    Args:
        runs: runs of a results folder; unfinished runs have no rows.
        columns: names of the values, between `KEYS` and `REASON`.
        measure: returns the rows of a run, or the reason why there are none. A row may have its own reason if only
            some of its values are missing.

    Returns:
        The rows of all runs; a run without rows has a single row with only the reason.

    """
    rows: Rows = []
    for run in runs:
        if run.score is not None:
            flat = run.card.flat()
            keys = {name: flat[name] for name in KEYS}
            found = measure(run)
            run_rows: Rows = [{REASON: found}] if isinstance(found, str) else found
            rows += [{**keys, REASON: "", **row} for row in run_rows]
    return pd.DataFrame(rows, columns=[*KEYS, *columns, REASON])


def why_missing(table: pd.DataFrame) -> list[str]:
    """Explain why values are missing, in one sentence for each reason and data set.

    Args:
        table: from `run_table`. Reasons in rows of individual taxa are left out.

    """
    whole = table if "taxon" not in table else table[is_blank(table["taxon"])]
    n_tracks = table.groupby("dataset")["track"].nunique().to_dict()
    sentences = []
    for (dataset, reason), rows in whole[whole[REASON] != ""].groupby(["dataset", REASON], sort=False):
        tracks = list(dict.fromkeys(rows["track"]))
        who = dataset if len(tracks) == n_tracks[dataset] else f"{dataset}, {listed(tracks)}"
        all_rows = table[(table["dataset"] == dataset) & table["track"].isin(tracks)]
        affected, of = (len(some[["track", "split", "seed"]].drop_duplicates()) for some in (rows, all_rows))
        some = f" ({affected} of {of} runs)" if affected < of else ""
        sentences.append(f"{who}: {reason}{some}.")
    return sentences


def track_means(rows: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return means over runs of selected columns, one row for each track, renamed for display."""
    return rows.groupby("track")[list(columns)].mean().rename(columns=dict(columns))


def is_blank(names: pd.Series) -> pd.Series:
    """Return which rows have no name, i.e. apply to all taxa or samples; names may be NaN when all are missing."""
    return names.isna() | names.eq("")
