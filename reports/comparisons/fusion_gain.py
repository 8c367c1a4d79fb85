"""Fusions judged: each beside the best of its parts, which validation rows choose, on the same test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ..run_files.run_folder import VALID
from .paired_evaluation import Resampling, paired_evaluation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..results.stored_run import StoredRun
    from .comparison import Comparison

FUSION = "fusion.csv"
COLUMNS = (
    "dataset", "track", "best_single", "delta", "lo", "hi", "verdict", "split", "seed", "macro_f1",
    "macro_f1_single", "p_value",
)  # fmt: skip
WORDS = {"a": "better", "b": "worse", "tie": "tie"}


def fusion_table(runs: Sequence[StoredRun]) -> pd.DataFrame:
    """Judge every finished fusion.

    Args:
        runs: of a results folder, those of the parts among them.

    Returns:
        One row for each run of a fusion, with `COLUMNS`: `best_single` is the part with the highest macro F1 on
        validation rows, `delta` by how much the fusion is better on test rows, `lo` and `hi` the ends of the paired
        interval of 95 %, `verdict` better, worse or tie. A fusion whose parts are not all there has no row.

    """
    by_place = {_place(run, run.card.track.name): run for run in runs if run.card.status == "done"}
    rows = []
    for run in by_place.values():
        parts = [by_place.get(_place(run, name)) for name in run.card.track.base_runs]
        known = [part for part in parts if part is not None]
        if known and len(known) == len(parts):
            single = max(known, key=lambda part: (valid_macro_f1(part), part.card.track.name))
            rows.append(_row(run, single, compare_runs(run, single)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _place(run: StoredRun, track: str) -> tuple[str, str, str, int]:
    return track, run.card.data.name, run.card.split.name, run.card.split.seed


def _row(run: StoredRun, single: StoredRun, found: Comparison) -> dict[str, object]:
    low, high = found.interval
    return {
        "dataset": run.card.data.name,
        "track": run.card.track.name,
        "best_single": single.card.track.name,
        "delta": found.delta,
        "lo": low,
        "hi": high,
        "verdict": WORDS[found.verdict],
        "split": run.card.split.name,
        "seed": run.card.split.seed,
        "macro_f1": found.macro_f1_a,
        "macro_f1_single": found.macro_f1_b,
        "p_value": found.p_value,
    }


def valid_macro_f1(run: StoredRun) -> float:
    """Return a run's macro F1 on its validation rows, over the classes that have some."""
    from sklearn.metrics import f1_score

    predicted = pd.read_parquet(run.folder / VALID, columns=["object_id", "taxon"]).set_index("object_id")["taxon"]
    truth = run.truth[run.truth["part"] == "valid"].set_index("object_id")["taxon"]
    labels = sorted(set(truth))
    return float(f1_score(truth, predicted.loc[truth.index], labels=labels, average="macro", zero_division=0))


def compare_runs(a: StoredRun, b: StoredRun) -> Comparison:
    """Compare two finished runs on the same test rows."""
    return paired_evaluation(
        (a.card.track.name, b.card.track.name), [a], [[a.predictions, b.predictions]], Resampling()
    ).compare(0, 1)


def in_words(table: pd.DataFrame) -> list[str]:
    """Say in a sentence for each fusion of a data set what came of it."""
    return [
        _sentence(str(track), rows)
        for track, rows in sorted(table.groupby("track", sort=False), key=lambda pair: -pair[1]["delta"].mean())
    ]


def _sentence(track: str, rows: pd.DataFrame) -> str:
    singles = " or ".join(rows["best_single"].unique())
    if len(rows) == 1:
        row = rows.iloc[0]
        end = {"better": "a significant gain", "worse": "a significant loss", "tie": "no difference detected"}
        return (
            f"{track} against {singles}, its best base model on validation rows: {row['delta']:+.3f} macro F1 "
            f"[{row['lo']:+.3f}, {row['hi']:+.3f}], {end[row['verdict']]}."
        )
    counts = rows["verdict"].value_counts()
    told = ", ".join(f"{counts.get(word, 0)} {text}" for word, text in (
        ("better", "better"), ("tie", "tied"), ("worse", "worse")))  # fmt: skip
    return (
        f"{track} against {singles}, its best base model on validation rows: {rows['delta'].mean():+.3f} macro F1 on "
        f"average over {len(rows)} runs, by the paired interval of each {told}."
    )
