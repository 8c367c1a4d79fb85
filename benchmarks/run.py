"""Running a suite: plan it, run whatever is missing, score it and write the report."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..data_manifests.errors import SuiteError, listed
from ..data_manifests.splits import parse_split
from ..reports.pages.write import Results, write_results
from ..reports.run_files.card import read_card
from ..reports.warnings.catalogue import store_evidence, warnings_before_runs
from ..reports.warnings.kind import SplitData
from .execution.runs import opened_backend, run_missing
from .execution.settings import Settings
from .execution.store import lock, reported_write_errors, store_truth
from .planning.feature_tables import NATIVE, feature_tables, show_measured
from .planning.methods import choose_methods
from .planning.opened_datasets import open_datasets
from .planning.plan import Inputs, all_splits, plan_jobs
from .planning.prepared_images import show_network_inputs, with_network_images
from .planning.submitted_predictions import CandidateSplit, check_names, match_to_splits, store_submission
from .planning.worker_inputs import prepare_inputs
from .suites.suite import Suite, load_suite, parse_features

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from ..data_manifests.dataset import Dataset
    from ..data_manifests.splits import Split
    from ..models.protocol.track import Track
    from .console.progress import Progress
    from .execution.job import Job
    from .execution.method import Method

SCORING = "scoring the stored predictions and writing the report"
"""Message before the last step, which takes up to a minute."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of running a suite.

    Attributes:
        results: scores and tables of all runs in the results folder.
        failed: number of requested runs that failed.
        out: the results folder.

    """

    results: Results
    failed: int
    out: Path


def run(  # noqa: PLR0913 - the options of the command, keyword-only
    suite: str,
    *,
    tracks: Sequence[str | type[Track]] | None = None,
    predictions: Mapping[str, str | Path] | None = None,
    seeds: Sequence[int] | None = None,
    split: str | None = None,
    features: str | None = None,
    data_dir: str | Path | None = None,
    out: str | Path | None = None,
    quick: bool = False,
    jobs: int = 1,
    force: bool = False,
    verbose: bool = False,
    scheduler: str = "",
    keep_models: bool = False,
    name: str | None = None,
    citation: str | None = None,
) -> pd.DataFrame:
    """Run a suite, score it and write the report.

    Args:
        suite: name of a shipped suite, or path of a YAML file.
        tracks: names, `path.py:Class`, or Track classes; None means those of the suite.
        predictions: predictions files by the name of their run, each stored under the one split and seed whose test
            objects it contains.
        seeds: seeds of the runs; None means those of the suite.
        split: name of a split, such as `holdout` or `kfold3`; None means that of the suite.
        features: feature table for the tracks: `native`, `measured` (from the images) or `native+measured`; None means
            that of the suite.
        data_dir: folder of the data set's files; None searches `$PLANKTONBENCH_DATA/<dataset>`, then the cache.
        out: results folder; None means `results/<suite>`.
        quick: use the values under `quick` of the suite: its smaller budget, data sets, folds or options.
        jobs: number of worker processes, each with `cores // jobs` threads. Images are measured in as many processes.
        force: repeat finished runs.
        verbose: show the traceback of a track that fails.
        scheduler: address of a Dask scheduler whose workers do the runs, and measure and prepare the images that they
            see; empty means processes on this machine.
        keep_models: store the fitted model of each run whose track can be kept, for `load_model`.
        name: name of the data set in results and report, if the suite has only one; None means that of its manifest
            or, if the folder has other taxa than the manifest, that of the folder.
        citation: citation of that data set; None cites what its manifest states.

    Returns:
        The table of scores.csv: one row per run in the results folder.

    Raises:
        PlanktonbenchError: suite, data or tracks are invalid; finished runs are kept.

    """
    settings = Settings(
        out=None if out is None else Path(out),
        data_dir=None if data_dir is None else Path(data_dir).expanduser(),
        tracks=tracks,
        predictions={name: Path(path).expanduser() for name, path in (predictions or {}).items()},
        quick=quick,
        jobs=jobs,
        force=force,
        verbose=verbose,
        scheduler=scheduler,
        keep_models=keep_models,
        name=name,
        citation=citation,
    )
    return run_suite(with_choices(load_suite(suite), seeds, split, features), settings).results.scores


def with_choices(suite: Suite, seeds: Sequence[int] | None, split: str | None, features: str | None) -> Suite:
    """Return a suite with other seeds, another split or other features; None keeps the value of the suite.

    What is given applies with `--quick`, too.

    Raises:
        SuiteError: seeds are not distinct whole numbers, or the split or the features are unknown.

    """
    changes: dict[str, object] = {}
    if seeds is not None:
        if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
            message = f"seeds are {list(seeds)}; expected distinct whole numbers from 0, such as 0,1,2."
            raise SuiteError(message)
        changes["seeds"] = tuple(seeds)
    if split is not None:
        changes["split"] = parse_split(split)
    if features is not None:
        changes["features"] = parse_features(features)
    return suite.chosen(**changes)


def run_suite(suite: Suite, settings: Settings) -> Outcome:
    """Run a suite under settings; see `run`."""
    if settings.jobs < 1:
        message = f"jobs is {settings.jobs}; expected a number of worker processes, 1 or more."
        raise SuiteError(message)
    out = settings.out or Path("results") / suite.name
    methods = choose_methods(suite, settings.tracks, quick=settings.quick)
    if not methods and not settings.predictions:
        message = "There is no track to run; give at least one with --tracks, or a file with --predictions."
        raise SuiteError(message)
    check_names(settings.predictions, [method.name for method in methods])
    _log_not_kept(methods, settings)
    suite = suite.effective(quick=settings.quick)
    entries = suite.dataset_entries()
    if len(entries) > 1 and (settings.name, settings.citation) != (None, None):
        message = f"--name and --citation are for suites with one data set; '{suite.name}' has {len(entries)}."
        raise SuiteError(message)
    datasets = open_datasets(entries, settings)
    requested = [method.features for method in methods if NATIVE in method.track.inputs]
    forms = {method.image_form for method in methods if method.image_form}
    jobs: list[Job] = []
    inputs: list[tuple[Dataset, Inputs]] = []
    candidates: list[CandidateSplit] = []
    with opened_backend(out, settings, prepare_inputs) as backend:
        for opened in datasets:
            run_tasks = None if opened.images is None else backend.task_runner(opened.images)
            dataset, network_images = with_network_images(opened, forms, settings, run_tasks)
            tables = feature_tables(dataset, requested, settings, run_tasks)
            inputs.append((dataset, Inputs(tables, network_images)))
            splits = all_splits(dataset, suite.split, suite.seeds)
            candidates += [CandidateSplit(dataset, split) for split in splits]
            _store_truth(out, dataset, splits, settings.progress)
            _warn(out, dataset, splits[0], settings.progress)
            jobs += plan_jobs(dataset, splits, methods, inputs[-1][1], out=out, settings=settings)
        submissions = match_to_splits(candidates, out, settings)
        with reported_write_errors(out):
            for submitted in submissions:
                settings.progress.log(store_submission(submitted, out, force=settings.force))
            run_missing(jobs, backend, settings)
    settings.progress.log(SCORING)
    with writing(out):
        for dataset, used in inputs:
            show_measured(out, dataset, used.tables.values())
            show_network_inputs(out, dataset, used.network_images.keys())
        results = write_results(out, [dataset for dataset, _ in inputs])
    cards = [read_card(job.folder) for job in jobs]
    return Outcome(results, sum(card is None or card.status == "failed" for card in cards), out)


def _log_not_kept(methods: Sequence[Method], settings: Settings) -> None:
    """Log the tracks whose models cannot be kept, if models are to be kept."""
    names = [method.name for method in methods if not method.track.can_be_kept]
    if settings.keep_models and names:
        settings.progress.log(
            f"--keep-models: {len(names)} of {len(methods)} tracks cannot be kept, so that their runs have no model: "
            f"{listed(names)}"
        )


def _store_truth(out: Path, dataset: Dataset, splits: list[Split], progress: Progress) -> None:
    with writing(out):
        for split in splits:
            for folder in store_truth(out, dataset.name, split):
                progress.log(f"{folder}: used another split of these objects; moved to {out / 'replaced'}")


def _warn(out: Path, dataset: Dataset, split: Split, progress: Progress) -> None:
    """Log the warnings about the data that are known before any run; their evidence is stored for the report."""
    with writing(out):
        store_evidence(out, dataset)
        data = SplitData(out, dataset.name, dataset.data_sha256, split.table)
        for warning in warnings_before_runs(data):
            progress.log(f"{dataset.name}: warning {warning.kind.code} {warning.kind.name}: {warning.text}")


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Hold the lock of a results folder and turn write errors into a message."""
    with reported_write_errors(out), lock(out, "results"):
        yield
