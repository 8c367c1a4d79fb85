"""Gain of fusions: each compared on test rows with its best base model, which is selected on validation rows."""

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
VERDICTS = {"a": "better", "b": "worse", "tie": "tie"}


def fusion_table(runs: Sequence[StoredRun]) -> pd.DataFrame:
    """Compare every finished fusion with its best base model.

    Args:
        runs: runs of a results folder, including the base runs.

    Returns:
        One row for each run of a fusion, with `COLUMNS`: `best_single` is the base model with the highest macro F1 on
        validation rows; `delta` is the macro F1 of the fusion minus that of `best_single` on test rows; `lo` and `hi`
        are the bounds of its paired 95 % interval; `verdict` is better, worse or tie. Fusions with a missing base run,
        or one without predictions for validation rows, have no row.

    """
    finished = {_key(run, run.card.track.name): run for run in runs if run.card.status == "done"}
    rows = []
    for run in finished.values():
        base_runs = [finished.get(_key(run, name)) for name in run.card.track.base_runs]
        found = [base_run for base_run in base_runs if base_run is not None]
        if found and len(found) == len(base_runs) and all(has_valid(base_run) for base_run in found):
            single = max(found, key=lambda base_run: (valid_macro_f1(base_run), base_run.card.track.name))
            rows.append(_row(run, single, compare_runs(run, single)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _key(run: StoredRun, track: str) -> tuple[str, str, str, int]:
    return track, run.card.data.name, run.card.split.name, run.card.split.seed


def _row(run: StoredRun, single: StoredRun, comparison: Comparison) -> dict[str, object]:
    low, high = comparison.interval
    return {
        "dataset": run.card.data.name,
        "track": run.card.track.name,
        "best_single": single.card.track.name,
        "delta": comparison.delta,
        "lo": low,
        "hi": high,
        "verdict": VERDICTS[comparison.verdict],
        "split": run.card.split.name,
        "seed": run.card.split.seed,
        "macro_f1": comparison.macro_f1_a,
        "macro_f1_single": comparison.macro_f1_b,
        "p_value": comparison.p_value,
    }


def has_valid(run: StoredRun) -> bool:
    """Return whether a run stored predictions for validation rows, which exported runs may lack."""
    return (run.folder / VALID).is_file()


def valid_macro_f1(run: StoredRun) -> float:
    """Return macro F1 of a run on its validation rows, averaged over the classes that occur in them."""
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
    """Summarise the gain of each fusion of a data set in one sentence, largest gain first."""
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
    verdicts = ", ".join(f"{counts.get(word, 0)} {text}" for word, text in (
        ("better", "better"), ("tie", "tied"), ("worse", "worse")))  # fmt: skip
    return (
        f"{track} against {singles}, its best base model on validation rows: {rows['delta'].mean():+.3f} macro F1 on "
        f"average over {len(rows)} runs; by paired intervals, {verdicts}."
    )
