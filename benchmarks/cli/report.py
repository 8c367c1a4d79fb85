"""The command `planktonbench report`: scores and report from stored predictions."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...data_manifests.errors import SuiteError
from ..console.output import print_table, write_message
from .command import Command
from .compare import print_leaderboard

if TYPE_CHECKING:
    import pandas as pd

    from ...reports.pages.write import Results


def report_command(out: Annotated[Path, typer.Argument(help="A results folder, such as results/flowcam.")]) -> None:
    """Recompute scores and report from stored predictions and truth."""
    from ...reports.pages.write import write_results
    from ..run import SCORING, writing

    if not out.is_dir():
        message = f"{out} is not a folder; expected a results folder written by 'planktonbench run'."
        raise SuiteError(message)
    write_message(SCORING)
    with writing(out):
        results = write_results(out)
    print_results(results, out)


def _or_dash(value: Any) -> str:  # noqa: ANN401 - a field of a row, whose type pandas does not know
    """Return a score as text, a dash if there is none."""
    return "–" if math.isnan(value) else f"{value:.4f}"


def print_results(results: Results, out: Path) -> None:
    """Print scores, leaderboard, warnings, and the path of the report."""
    print_scores(results.scores)
    print_leaderboard(results.leaderboard)
    for row in results.warnings.itertuples():
        write_message(f"{row.code} {row.dataset} {row.split}: {row.text}")
    for sentence in results.left_out:
        write_message(f"Left out, {sentence}")
    write_message(f"Report: {out / 'report' / 'index.html'}")


def print_scores(scores: pd.DataFrame) -> None:
    """Print the mean scores over the runs of each track, best first."""
    keys = ["dataset", "split", "track"]
    done = scores[scores["status"] == "done"].assign(
        split=lambda t: t["split"].str.replace(r"-fold\d+$", "", regex=True)
    )
    if not len(done):
        return
    withheld = "macro_f1_seen" in done
    done = done if withheld else done.assign(macro_f1_seen=float("nan"))
    means = done.groupby(keys).agg(
        runs=("seed", "size"),
        macro_f1=("macro_f1", "mean"),
        seen=("macro_f1_seen", "mean"),
        accuracy=("accuracy", "mean"),
        fit=("fit_seconds", "mean"),
    )
    ordered = means.reset_index().sort_values(["dataset", "split", "macro_f1"], ascending=[True, True, False])
    rows = [
        (
            str(r.dataset),
            str(r.split),
            str(r.track),
            str(r.runs),
            f"{r.macro_f1:.4f}",
            *([_or_dash(r.seen)] if withheld else []),
            f"{r.accuracy:.4f}",
            f"{r.fit:.2f}",
        )
        for r in ordered.itertuples()
    ]
    seen = ["without withheld"] if withheld else []
    print_table(("data set", "split", "track", "runs", "macro F1", *seen, "accuracy", "own fit s"), rows)
    if done["simulated"].any():
        names = ", ".join(sorted(set(done.loc[done["simulated"], "dataset"])))
        typer.echo(f"Simulated data ({names}). These are not results on real plankton.")


REPORT = Command(
    "report",
    report_command,
    "planktonbench report results/flowcam",
    "Recompute scores and report from stored predictions.",
    "Recompute scores and report from stored predictions and truth; no data and no training are needed.",
)
