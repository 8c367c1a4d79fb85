"""The command `planktonbench run`: run a suite, score it and write the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ...data_manifests.errors import SuiteError
from ..console.output import is_verbose, write_message
from .command import Command
from .report import print_results

SOME_RUN_FAILED = 1


def run_command(  # noqa: PLR0913 - the options of the command make up most of its lines
    suite: Annotated[str, typer.Argument(help="A shipped suite, such as flowcam, or the path of a YAML file.")],
    *,
    data_dir: Annotated[
        Optional[Path],
        typer.Option(
            "--data",
            help="Folder of the files.",
            show_default="$PLANKTONBENCH_DATA/<dataset>, then the cache",
        ),
    ] = None,
    only: Annotated[
        Optional[str],
        typer.Option("--tracks", help="Comma-separated tracks: names or path.py:Class.", show_default="the suite's"),
    ] = None,
    predictions: Annotated[
        Optional[list[str]],
        typer.Option(
            help="NAME=FILE, predictions of a method for the test objects of one split and seed; may be repeated.",
            show_default="none",
        ),
    ] = None,
    seeds: Annotated[Optional[str], typer.Option(help="Comma-separated seeds.", show_default="the suite's")] = None,
    split: Annotated[
        Optional[str],
        typer.Option(help="holdout, kfold3, kfold3-fold0, grouped-holdout, published.", show_default="the suite's"),
    ] = None,
    features: Annotated[
        Optional[str],
        typer.Option(help="Feature table: native, measured or native+measured.", show_default="the suite's"),
    ] = None,
    out: Annotated[Optional[Path], typer.Option(help="Results folder.", show_default="results/<suite>")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Use the smaller values of the suite: budget, data.")] = False,
    jobs: Annotated[int, typer.Option(help="Number of worker processes, each with cores // jobs threads.")] = 1,
    scheduler: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Dask scheduler whose workers do the runs, such as tcp://127.0.0.1:8786.",
            show_default="worker processes on this machine",
        ),
    ] = "",
    keep_models: Annotated[
        bool, typer.Option("--keep-models", help="Store the model of each run whose track can be kept.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Repeat finished runs.")] = False,
    name: Annotated[
        Optional[str],
        typer.Option(help="Name of the data set in the results.", show_default="its manifest's, else the folder's"),
    ] = None,
    citation: Annotated[
        Optional[str], typer.Option(help="Citation of a data set of your own.", show_default="its manifest's")
    ] = None,
) -> None:
    """Run whatever is missing, score it and write the report."""
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
        scheduler=scheduler,
        keep_models=keep_models,
        name=name,
        citation=citation,
    )
    outcome = run_suite(plan, settings)
    print_results(outcome.results, outcome.out)
    if outcome.failed:
        write_message(f"{outcome.failed} of the runs failed; the others are stored. --verbose shows the tracebacks.")
        raise typer.Exit(SOME_RUN_FAILED)


def _numbers(text: str) -> list[int]:
    try:
        return [int(seed) for seed in text.split(",")]
    except ValueError as fault:
        message = f"--seeds is '{text}'; expected whole numbers separated by commas, such as 0,1,2."
        raise SuiteError(message) from fault


RUN = Command(
    "run",
    run_command,
    "planktonbench run flowcam --data DIR",
    "Run a suite, score it and write the report.",
    "Run whatever is missing, score it and write the report.",
)
