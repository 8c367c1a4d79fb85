"""The command line: `planktonbench` and `python -m planktonbench`.

Heavy libraries are imported inside the commands, so that --help is quick. Errors are plain text on standard error; exit
codes: 0 done, 1 some run failed, 2 the input or the command line is wrong, 3 our own fault.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ..._version import __version__
from ...data_manifests.errors import PlanktonbenchError, SuiteError
from ..console.output import pasted, print_json, print_table, tell
from . import check as cli_check
from . import compare as cli_compare
from . import measure as cli_measure
from .data import data
from .tracks import tracks

if TYPE_CHECKING:
    import pandas as pd

SOME_RUN_FAILED, WRONG_INPUT, OUR_FAULT, INTERRUPTED = 1, 2, 3, 130
PLAIN = {"rich_markup_mode": None, "add_completion": False, "pretty_exceptions_enable": False}
"""Typer without boxes and colours: help and errors are plain text, also where they are read by programs."""

app = typer.Typer(
    help="Benchmarks for plankton classifiers that use tables of features, images, or both.\n\n"
    "Begin with: planktonbench run flowcam --data DIR",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    **PLAIN,  # type: ignore[arg-type]  # three keywords of different types
)
app.add_typer(data, name="data")
app.add_typer(tracks, name="tracks")
app.command("compare", short_help=cli_compare.SHORT_HELP, help=cli_compare.HELP)(cli_compare.compare_command)
app.command("measure", short_help=cli_measure.SHORT_HELP, help=cli_measure.HELP)(cli_measure.measure_command)
app.command("check", short_help=cli_check.SHORT_HELP, help=cli_check.HELP)(cli_check.check_command)


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"planktonbench {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda wanted: _version(wanted=wanted), is_eager=True, help="Print the version."
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show tracebacks of failed runs and of our own faults.")
    ] = False,
) -> None:
    """Take the options that every command has."""


@app.command(
    "run",
    short_help="Run a suite, score it, and write the report.",
    help=pasted("planktonbench run flowcam --data DIR", "Run what is not there yet, score it, and write the report."),
)
def run_command(  # noqa: PLR0913 - the options of the command, which take most of its 62 lines
    suite: Annotated[str, typer.Argument(help="A shipped suite, such as flowcam, or the path of a YAML file.")],
    *,
    data_dir: Annotated[
        Optional[Path],
        typer.Option(
            "--data",
            help="Folder of the data set's files.",
            show_default="$PLANKTONBENCH_DATA/<dataset>, then the cache",
        ),
    ] = None,
    only: Annotated[
        Optional[str],
        typer.Option("--tracks", help="Tracks, joined by commas: names or path.py:Class.", show_default="the suite's"),
    ] = None,
    predictions: Annotated[
        Optional[list[str]],
        typer.Option(
            help="NAME=FILE, a method's predictions of the test objects of one split and seed; may be given again.",
            show_default="none",
        ),
    ] = None,
    seeds: Annotated[Optional[str], typer.Option(help="Seeds, joined by commas.", show_default="the suite's")] = None,
    split: Annotated[
        Optional[str],
        typer.Option(help="holdout, kfold3, grouped-holdout, grouped-kfold3, published.", show_default="the suite's"),
    ] = None,
    features: Annotated[
        Optional[str],
        typer.Option(help="To learn from: native, measured or native+measured.", show_default="the suite's"),
    ] = None,
    out: Annotated[Optional[Path], typer.Option(help="Results folder.", show_default="results/<suite>")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Use the smaller budget that the suite states.")] = False,
    jobs: Annotated[int, typer.Option(help="Worker processes; each has cores // jobs threads.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Do finished runs again.")] = False,
) -> None:
    """Run what is not there yet, score it, and write the report."""
    from ..execution.settings import Settings
    from ..planning.submitted_predictions import parse_predictions
    from ..run import run_suite, with_choices
    from ..suites.suite import load_suite

    plan = with_choices(load_suite(suite), None if seeds is None else _numbers(seeds), split, features)
    settings = Settings(
        out=out,
        data_dir=None if data_dir is None else data_dir.expanduser(),
        tracks=None if only is None else [name.strip() for name in only.split(",") if name.strip()],
        predictions=parse_predictions(predictions or []),
        quick=quick,
        jobs=jobs,
        force=force,
        verbose=is_verbose(),
    )
    outcome = run_suite(plan, settings)
    _print_scores(outcome.table)
    cli_compare.print_board(outcome.out)
    _tell_cautions(outcome.out)
    tell(f"Report: {outcome.out / 'report' / 'index.html'}")
    if outcome.failed:
        tell(f"{outcome.failed} of the runs failed; the others are stored. --verbose shows why.")
        raise typer.Exit(SOME_RUN_FAILED)


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as fault:
        message = f"--seeds is '{text}'; expected whole numbers joined by commas, such as 0,1,2."
        raise SuiteError(message) from fault


def _print_scores(scores: pd.DataFrame) -> None:
    """Print the mean over runs of each track, best first."""
    keys = ["dataset", "split", "track"]
    done = scores[scores["status"] == "done"].assign(
        split=lambda t: t["split"].str.replace(r"-fold\d+$", "", regex=True)
    )
    if not len(done):
        return
    means = done.groupby(keys).agg(
        runs=("seed", "size"), macro_f1=("macro_f1", "mean"), accuracy=("accuracy", "mean"), fit=("fit_seconds", "mean")
    )
    ordered = means.reset_index().sort_values(["dataset", "split", "macro_f1"], ascending=[True, True, False])
    rows = [
        (
            str(r.dataset),
            str(r.split),
            str(r.track),
            str(r.runs),
            f"{r.macro_f1:.4f}",
            f"{r.accuracy:.4f}",
            f"{r.fit:.2f}",
        )
        for r in ordered.itertuples()
    ]
    print_table(("data set", "split", "track", "runs", "macro F1", "accuracy", "own fit s"), rows)
    if done["simulated"].any():
        names = ", ".join(sorted(set(done.loc[done["simulated"], "dataset"])))
        typer.echo(f"Simulated data ({names}): these scores are no results of real plankton.")


def _tell_cautions(out: Path) -> None:
    """Print what a reader of the numbers has to know, as the report says it."""
    from ...reports.pages.write import stored_cautions

    for row in stored_cautions(out).itertuples():
        tell(f"{row.code} {row.dataset} {row.split}: {row.text}")


@app.command(
    "report",
    short_help="Score and report again from stored predictions.",
    help=pasted(
        "planktonbench report results/flowcam", "Score and report again, from stored predictions and truth alone."
    ),
)
def report_command(out: Annotated[Path, typer.Argument(help="A results folder, such as results/flowcam.")]) -> None:
    """Score and report again, from stored predictions and truth alone."""
    from ...reports.pages.write import write_results
    from ..run import writing

    if not out.is_dir():
        message = f"{out} is not a folder; expected a results folder that 'planktonbench run' has made."
        raise SuiteError(message)
    with writing(out):
        table = write_results(out)
    _print_scores(table)
    cli_compare.print_board(out)
    _tell_cautions(out)
    tell(f"Report: {out / 'report' / 'index.html'}")


@app.command(
    "score",
    short_help="Score one predictions file.",
    help=pasted("planktonbench score predictions.csv --truth truth.csv", "Score one predictions file."),
)
def score_command(
    predictions: Annotated[Path, typer.Argument(help="CSV or parquet with object_id,taxon.")],
    *,
    truth: Annotated[Path, typer.Option(help="CSV or parquet with object_id,taxon and optionally a grouping column.")],
    classes: Annotated[
        Optional[Path], typer.Option(help="Class list, one name a line.", show_default="the classes of the truth")
    ] = None,
    group: Annotated[
        Optional[str],
        typer.Option(help="Grouping column of the truth, for the interval.", show_default="sample, when there is one"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Score one predictions file."""
    from ...reports.run_files.predictions import read_classes, read_labels
    from ...reports.scoring.score import DRAWS, Context, score_labels

    known = read_labels(truth, "truth", group)
    given = read_labels(predictions, "predictions")
    for labels in (known, given):
        if labels.renamed:
            tell(f"{labels.where}: read column {', '.join(labels.renamed)}")
    names = None if classes is None else read_classes(classes)
    found = score_labels(known, given, names, draws=DRAWS, seed=0, context=Context(data=truth.name))
    if as_json:
        print_json(found.to_json())
        return
    rows = [
        (str(r.taxon), f"{r.precision:.3f}", f"{r.recall:.3f}", f"{r.f1:.3f}", f"{r.support:,}")
        for r in found.per_class.itertuples()
    ]
    print_table(("taxon", "precision", "recall", "F1", "support"), rows)
    typer.echo(f"\n{found}")
    typer.echo(
        f"accuracy {found.accuracy:.4f}, macro precision {found.macro_precision:.4f}, "
        f"macro recall (balanced accuracy) {found.macro_recall:.4f}"
    )
    for title, values in (
        ("Classes without support", found.classes_absent),
        ("Predicted names outside of the classes", found.names_unknown),
    ):
        if values:
            typer.echo(f"{title}: {', '.join(values)}")


def is_verbose() -> bool:
    """Tell whether --verbose stands anywhere on the command line."""
    return "--verbose" in sys.argv


def main(arguments: list[str] | None = None) -> int:
    """Run the command line, and turn every error into its exit code and a plain message.

    Returns:
        The exit code.

    """
    words = sys.argv[1:] if arguments is None else arguments
    words = [word for word in words if word != "--verbose"]
    command = typer.main.get_command(app)
    try:
        return int(command.main(words, prog_name="planktonbench", standalone_mode=False) or 0)
    except PlanktonbenchError as fault:
        tell(f"planktonbench: {fault}")
        return WRONG_INPUT
    except Exception as fault:  # noqa: BLE001 - the last resort
        return _told_by_click(fault)


def _told_by_click(fault: Exception) -> int:
    """Tell an error of the command line, or of ours."""
    if hasattr(fault, "format_message"):
        is_help = type(fault).__name__ == "NoArgsIsHelpError"
        tell(fault.format_message() if is_help else f"planktonbench: {fault.format_message()}")
        return WRONG_INPUT
    if type(fault).__name__ == "Abort":
        tell("planktonbench: interrupted; finished runs are kept, call again to go on")
        return INTERRUPTED
    if is_verbose():
        raise fault
    tell(
        f"planktonbench: {type(fault).__name__}: {fault}\n"
        "This is our fault, not yours. --verbose shows where; please report it."
    )
    return OUR_FAULT
