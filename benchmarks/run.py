"""Running a suite: plan it, run whatever is missing, score it and write the report."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..data_manifests.dataset import local_folder, open_folder
from ..data_manifests.errors import SuiteError, listed
from ..data_manifests.manifest import Manifest, load_manifest
from ..data_manifests.simulation.sample import SAMPLE_OBJECTS, has_sample, simulated_sample
from ..data_manifests.splits import parse_split
from ..reports.pages.write import Results, write_results
from ..reports.run_files.card import read_card
from ..reports.warnings.catalogue import store_evidence, warnings_before_runs
from ..reports.warnings.kind import SplitData
from .console.progress import Progress, counting
from .execution.runs import opened_backend, run_missing
from .execution.settings import Settings
from .execution.store import lock, reported_write_errors, store_truth
from .planning.feature_tables import NATIVE, feature_tables, show_measured
from .planning.methods import choose_methods
from .planning.plan import Inputs, all_splits, find_entry, plan_jobs
from .planning.prepared_images import show_network_inputs, with_network_images
from .planning.submitted_predictions import CandidateSplit, check_names, match_to_splits, store_submission
from .planning.worker_inputs import prepare_inputs
from .suites.suite import DatasetEntry, Suite, load_suite, parse_features

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from ..data_manifests.dataset import Dataset
    from ..data_manifests.splits import Split
    from ..models.protocol.track import Track
    from .execution.job import Job


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
        quick: use the smaller budget of the suite.
        jobs: number of worker processes, each with `cores // jobs` threads. Images are measured in as many processes.
        force: repeat finished runs.
        verbose: show the traceback of a track that fails.
        scheduler: address of a Dask scheduler whose workers do the runs, and measure and prepare the images that they
            see; empty means processes on this machine.
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
        name=name,
        citation=citation,
    )
    return run_suite(with_choices(load_suite(suite), seeds, split, features), settings).results.scores


def with_choices(suite: Suite, seeds: Sequence[int] | None, split: str | None, features: str | None) -> Suite:
    """Return a suite with other seeds, another split or other features; None keeps the value of the suite.

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
    return suite.model_copy(update=changes)


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
    entries = suite.dataset_entries()
    if len(entries) > 1 and (settings.name, settings.citation) != (None, None):
        message = f"--name and --citation are for suites with one data set; '{suite.name}' has {len(entries)}."
        raise SuiteError(message)
    found = [_find(entry, settings, alone=len(entries) == 1) for entry in entries]
    datasets = [_open(manifest, folder, settings) for manifest, folder in found]
    _check_unique_names(datasets)
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
    settings.progress.log("scoring the stored predictions and writing the report")
    with writing(out):
        for dataset, used in inputs:
            show_measured(out, dataset, used.tables.values())
            show_network_inputs(out, dataset, used.network_images.keys())
        results = write_results(out, [dataset for dataset, _ in inputs])
    cards = [read_card(job.folder) for job in jobs]
    return Outcome(results, sum(card is None or card.status == "failed" for card in cards), out)


def _find(entry: DatasetEntry, settings: Settings, *, alone: bool) -> tuple[Manifest, Path]:
    """Find the files of a data set; if there are none, use the simulated sample, if it has one, and log it."""
    folder = entry.path or settings.data_dir
    if folder is not None or not has_sample(entry.name) or local_folder(entry.name):
        return find_entry(entry, settings.data_dir, alone=alone)
    settings.progress.log(
        f"{entry.name}: no data files found; using a SIMULATED sample of {SAMPLE_OBJECTS:,} objects. "
        "These are not results on real plankton. Use --data DIR to run on your files."
    )
    from ..features.measured.challenge import CHALLENGE_TABLE

    with counting("drawing the simulated sample", SAMPLE_OBJECTS, "objects") as advance:
        folder = simulated_sample(entry.name, CHALLENGE_TABLE, advance)
    return load_manifest(entry.name), folder


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


def _check_unique_names(datasets: Sequence[Dataset]) -> None:
    """Check that data sets have different names, since folders without a fitting manifest have that of the folder.

    Raises:
        SuiteError: two have the same name.

    """
    names = [dataset.name for dataset in datasets]
    twice = [str(dataset.folder) for dataset in datasets if names.count(dataset.name) > 1]
    if twice:
        message = f"Data sets with the same name: {listed(twice)}. Rename a folder, or give it a name in the suite."
        raise SuiteError(message)


def _open(manifest: Manifest, folder: Path, settings: Settings) -> Dataset:
    """Open a data set, and log its contents and notes."""
    progress = settings.progress
    progress.log(f"{manifest.name}: reading {folder}")
    dataset = open_folder(manifest, folder)
    requested, dataset = dataset.requested, dataset.named(settings.name, settings.citation)
    if dataset.requested:
        unknown = sorted(set(dataset.classes) - set(manifest.classes))
        progress.log(
            f"{len(unknown):,} of this folder's {len(dataset.classes):,} taxa do not occur in manifest '{requested}' "
            f"({listed(unknown, 5)}), so this is another data set, named '{dataset.name}' and scored on its own taxa. "
            f"{f'It is cited as: {dataset.reference}' if dataset.reference else 'No citation is known.'} Change this "
            "with --name and --citation, or with a manifest: planktonbench data init DIR."
        )
    features = 0 if dataset.native is None else dataset.native.shape[1]
    images = 0 if dataset.images is None else len(dataset.images)
    kind = "simulated objects" if dataset.simulated else "objects"
    progress.log(
        f"{dataset.name}: {len(dataset):,} {kind}, {len(dataset.classes)} taxa, {features} native features, "
        f"{images:,} images"
    )
    for entry in dataset.notes:
        progress.log(f"  note: {entry}")
    return dataset
