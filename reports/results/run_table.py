"""Tables over many runs: rows of each run beside what tells the runs apart, or the reason why it has none."""

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
    """Put rows of all finished runs into one table.

    Args:
        runs: of a results folder; those that are not done have no rows.
        columns: names of the values, between `KEYS` and `REASON`.
        measure: returns rows of a run, or the reason in words why there can be none. A row may have a reason of its
            own, where only some of its values are missing.

    Returns:
        One row for each row of a run, or one with nothing but the reason.

    """
    rows: Rows = []
    for run in runs:
        if run.score is not None:
            flat = run.card.flat()
            keys = {name: flat[name] for name in KEYS}
            found = measure(run)
            told: Rows = [{REASON: found}] if isinstance(found, str) else found
            rows += [{**keys, REASON: "", **row} for row in told]
    return pd.DataFrame(rows, columns=[*KEYS, *columns, REASON])


def why_missing(table: pd.DataFrame) -> list[str]:
    """Say for which methods values are missing and why, in one sentence for each reason and data set.

    Args:
        table: from `run_table`. Reasons of single taxa, in rows that name one, are left to the table.

    """
    whole = table if "taxon" not in table else table[table["taxon"].isin(["", None])]
    n_tracks = table.groupby("dataset")["track"].nunique().to_dict()
    sentences = []
    for (dataset, reason), rows in whole[whole[REASON] != ""].groupby(["dataset", REASON], sort=False):
        tracks = list(dict.fromkeys(rows["track"]))
        who = dataset if len(tracks) == n_tracks[dataset] else f"{dataset}, {listed(tracks)}"
        sentences.append(f"{who}: {reason}.")
    return sentences


def track_means(rows: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return the means over runs of some columns, one row for each track, under the names that the page gives them."""
    return rows.groupby("track")[list(columns)].mean().rename(columns=dict(columns))


def is_blank(names: pd.Series) -> pd.Series:
    """Tell which rows are of nothing by name, which is of all together; a column without any name holds numbers."""
    return names.isna() | names.eq("")
