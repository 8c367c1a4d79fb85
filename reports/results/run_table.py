"""Tables over many runs: rows identified by run, with a reason where values are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...data_manifests.errors import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from .stored_run import StoredRun

    Rows = list[dict[str, object]]

KEYS = ("dataset", "simulated", "track", "split", "seed")
REASON = "reason"
ENDS = ("_lo", "_hi")
"""Endings of the columns with the ends of the 95 % interval of a value."""


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


def with_ends(*names: str) -> tuple[str, ...]:
    """Return names of columns, each followed by those of the ends of its interval."""
    return tuple(f"{name}{end}" for name in names for end in ("", *ENDS))


def ends(name: str, bounds: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return the columns of intervals, by name, from their bounds of shape (2,), or (2, n_rows) for several rows."""
    return {f"{name}{end}": bound for end, bound in zip(ENDS, bounds, strict=True)}


def means_with_intervals(
    rows: pd.DataFrame, columns: Mapping[str, str], *, with_deviations: bool = False
) -> pd.DataFrame:
    """Return selected columns as text with their 95 % intervals, one row for each track, renamed for display.

    For several runs, values and ends are means over runs. The mean over runs varies at most as much with the test
    objects as this interval shows: the standard error of a mean is at most the mean of the standard errors. Variation
    of training is not contained.

    Args:
        rows: with a column `track`, the columns, and those of their ends (`ENDS`).
        columns: displayed names by name of column.
        with_deviations: add the standard deviation over runs (with n - 1), for a track with several runs.

    Returns:
        Text; a number for a value that has no interval in some run, NaN if it is missing in all runs.

    """
    means = rows.groupby("track")[list(with_ends(*columns))].mean()
    deviations = rows.groupby("track")[list(columns)].std() * (1 if with_deviations else np.nan)
    shown = {}
    for name, title in columns.items():
        without = rows[name].notna() & rows[f"{name}{ENDS[0]}"].isna()
        has_interval = ~without.groupby(rows["track"]).any()
        parts = [means[name], *(means[f"{name}{end}"].where(has_interval) for end in ENDS), deviations[name]]
        shown[title] = pd.Series(map(_with_interval, *parts), means.index, dtype=object)
    return pd.DataFrame(shown)


def _with_interval(value: float, low: float, high: float, deviation: float) -> str | float:
    spread = "" if np.isnan(deviation) else f" ± {deviation:.3f}"
    interval = "" if np.isnan(low) else f" [{low:.3f}, {high:.3f}]"
    return f"{value:.3f}{spread}{interval}" if spread or interval else value


def is_blank(names: pd.Series) -> pd.Series:
    """Return which rows have no name, i.e. apply to all taxa or samples; names may be NaN when all are missing."""
    return names.isna() | names.eq("")
