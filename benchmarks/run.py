"""The run: plan a suite, do what is not there yet, score it, and write the report."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ..data_manifests.dataset import open_folder
from ..data_manifests.errors import DataError, SuiteError
from ..data_manifests.splits import parse_split
from ..models.threads import available_cores
from ..reports.card import read_card
from ..reports.results import run_folder
from ..reports.write import write_results
from .environment import worker_environment
from .plan import Job, all_splits, choose_methods, find_entry, plan_jobs
from .progress import Progress, progress_for
from .store import differences, is_finished, job_lock, lock, store_run, store_truth
from .suite import Suite, load_suite

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from ..data_manifests.dataset import Dataset
    from ..data_manifests.manifest import Manifest
    from ..data_manifests.splits import Split
    from ..models.track import Track

LOG_LINES = 40


@dataclass(frozen=True)
class Outcome:
    """What came of a suite.

    Attributes:
        table: one line for each run in the results folder, as scores.csv.
        failed: how many of the runs that were asked for failed.
        out: the results folder.

    """

    table: pd.DataFrame
    failed: int
    out: Path


@dataclass(frozen=True)
class Settings:
    """How a suite is run: what the options of `planktonbench run` say."""

    out: Path | None = None
    data_dir: Path | None = None
    tracks: Sequence[str | type[Track]] | None = None
    quick: bool = False
    jobs: int = 1
    force: bool = False
    verbose: bool = False
    progress: Progress = field(default_factory=lambda: progress_for(sys.stderr))

    @property
    def threads(self) -> int:
        """Threads of each worker."""
        return max(1, available_cores() // self.jobs)


def run(  # noqa: PLR0913 - the options of the command, by keyword
    suite: str,
    *,
    tracks: Sequence[str | type[Track]] | None = None,
    seeds: Sequence[int] | None = None,
    split: str | None = None,
    data_dir: str | Path | None = None,
    out: str | Path | None = None,
    quick: bool = False,
    jobs: int = 1,
    force: bool = False,
    verbose: bool = False,
) -> pd.DataFrame:
    """Run a suite, score it, and write the report.

    Args:
        suite: a shipped suite's name, or the path of a YAML file.
        tracks: names, `path.py:Class`, or Track classes; None runs the suite's own.
        seeds: None takes the suite's.
        split: name of a split, such as `holdout` or `kfold3`; None takes the suite's.
        data_dir: folder of the data set's files; None looks in `$PLANKTONBENCH_DATA/<dataset>`, then in the cache.
        out: results folder; None is `results/<suite>`.
        quick: use the suite's smaller budget.
        jobs: number of worker processes; each has `cores // jobs` threads.
        force: do finished runs again.
        verbose: show the traceback of a track that fails.

    Returns:
        The table of scores.csv: one line for each run in the results folder.

    Raises:
        PlanktonbenchError: suite, data or tracks are wrong; runs that were finished before stay.

    """
    settings = Settings(
        out=None if out is None else Path(out),
        data_dir=None if data_dir is None else Path(data_dir).expanduser(),
        tracks=tracks,
        quick=quick,
        jobs=jobs,
        force=force,
        verbose=verbose,
    )
    return run_suite(with_choices(load_suite(suite), seeds, split), settings).table


def with_choices(suite: Suite, seeds: Sequence[int] | None, split: str | None) -> Suite:
    """Return a suite with other seeds or another split.

    Raises:
        SuiteError: seeds are no different whole numbers, or the split's name cannot be read.

    """
    changes: dict[str, object] = {}
    if seeds is not None:
        if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
            message = f"seeds are {list(seeds)}; expected different whole numbers from 0 up, such as 0,1,2."
            raise SuiteError(message)
        changes["seeds"] = tuple(seeds)
    if split is not None:
        changes["split"] = parse_split(split)
    return suite.model_copy(update=changes)


def run_suite(suite: Suite, settings: Settings) -> Outcome:
    """Run a suite under settings; see `run`."""
    if settings.jobs < 1:
        message = f"jobs is {settings.jobs}; expected a number of worker processes, 1 or more."
        raise SuiteError(message)
    out = settings.out or Path("results") / suite.name
    methods = choose_methods(suite, settings.tracks, quick=settings.quick)
    if not methods:
        message = "There is no track to run; name one or more with --tracks."
        raise SuiteError(message)
    entries = suite.dataset_entries()
    found = [find_entry(entry, settings.data_dir, alone=len(entries) == 1) for entry in entries]
    jobs: list[Job] = []
    for dataset in [_open(manifest, folder, settings.progress) for manifest, folder in found]:
        splits = all_splits(dataset, suite.split, suite.seeds)
        _store_truth(out, dataset, splits, settings.progress)
        jobs += plan_jobs(dataset, splits, methods, out, threads=settings.threads, quick=settings.quick)
    Workers(out, settings).do_all(jobs)
    settings.progress.say("scoring the stored predictions and writing the report")
    with writing(out):
        table = write_results(out)
    cards = [read_card(run_folder(out, job.draft)) for job in jobs]
    return Outcome(table, sum(card is None or card.status == "failed" for card in cards), out)


def _store_truth(out: Path, dataset: Dataset, splits: list[Split], progress: Progress) -> None:
    with writing(out):
        for split in splits:
            for folder in store_truth(out, dataset.name, split):
                progress.say(f"{folder}: made with another split of these objects; moved to {out / 'replaced'}")


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Hold the lock of a results folder, and turn the system's refusal to write into a message."""
    try:
        with lock(out, "results"):
            yield
    except OSError as fault:
        message = f"{out} cannot be written: {fault}. Make room or choose another folder; finished runs are kept."
        raise DataError(message) from fault


def _open(manifest: Manifest, folder: Path, progress: Progress) -> Dataset:
    """Open a data set, and tell what is in it and what was found."""
    progress.say(f"{manifest.name}: reading {folder}")
    dataset = open_folder(manifest, folder)
    features = 0 if dataset.native is None else dataset.native.shape[1]
    images = 0 if dataset.images is None else len(dataset.images)
    progress.say(
        f"{dataset.name}: {len(dataset):,} objects, {len(dataset.classes)} taxa, {features} native features, "
        f"{images:,} images"
    )
    for entry in dataset.notes:
        progress.say(f"  note: {entry}")
    return dataset


class Workers:
    """Do jobs, one process each, a few at a time; all are stopped when the parent is."""

    def __init__(self, out: Path, settings: Settings) -> None:
        self.out = out
        self.settings = settings
        self.say = settings.progress.say
        self.running: set[subprocess.Popen[str]] = set()
        self.stopped = False

    def do_all(self, jobs: list[Job]) -> None:
        """Do the jobs that are not finished."""
        force, workers = self.settings.force, self.settings.jobs
        todo = [job for job in jobs if force or not is_finished(self.out, job.draft)]
        before = len(jobs) - len(todo)
        finished = f" ({before} finished before)" if before else ""
        self.say(f"{len(todo)} of {len(jobs)} runs to do{finished}; {workers} × {self.settings.threads} threads")
        for job in todo:
            self._tell_change(job)
        for job in [job for job in todo if job.draft.status == "skipped"]:
            with job_lock(self.out, job.draft):
                store_run(self.out, job.draft, {})
            self.say(f"{job.label}: skipped, {job.draft.reason}")
        self._run([job for job in todo if job.draft.status != "skipped"])

    def _tell_change(self, job: Job) -> None:
        stored = read_card(run_folder(self.out, job.draft))
        if stored is not None and stored.status == "done":
            changed = "; ".join(differences(stored, job.draft)) or "asked for by --force"
            self.say(f"{job.label}: done again, since it differs: {changed}")

    def _run(self, jobs: list[Job]) -> None:
        if not jobs:
            return
        with self.settings.progress.work(len(jobs)), ThreadPoolExecutor(self.settings.jobs) as pool:
            try:
                for _ in pool.map(self._one, jobs):
                    pass
            except BaseException:
                self._stop(pool)
                raise

    def _stop(self, pool: ThreadPoolExecutor) -> None:
        self.stopped = True
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(self.running):
            process.kill()

    def _one(self, job: Job) -> None:
        if self.stopped:
            return
        settings = self.settings
        settings.progress.began(job.label)
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
            code = self._process(job, log)
            log.seek(0)
            lines = log.read().splitlines()[-LOG_LINES:]
        if not self.stopped:
            settings.progress.ended(job.label, self._outcome(job, code, lines))

    def _process(self, job: Job, log: IO[str]) -> int:
        command = [sys.executable, "-P", "-m", f"{__package__}.worker"]
        settings = self.settings
        process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            env=worker_environment(settings.threads),
        )
        self.running.add(process)
        try:
            with suppress(BrokenPipeError), process.stdin as pipe:  # type: ignore[union-attr]  # it is a pipe
                pipe.write(json.dumps(_task(job, self.out, settings)) + "\n")
                pipe.flush()
                process.wait()  # the pipe stays open: it is the worker's lifeline
            return process.wait()
        finally:
            self.running.discard(process)

    def _outcome(self, job: Job, code: int, lines: list[str]) -> str:
        """Return how a job ended, in words; a worker that died without a word is recorded as failed."""
        out, draft = self.out, job.draft
        if code != 0:
            last = lines[-1] if lines else "no message"
            reason = f"the worker ended with code {code}: {last}"
            if code < 0:
                reason = f"the worker was killed by signal {-code} (out of memory?)"
            if "No space left" in last or "Disk quota" in last or "File too large" in last:
                message = f"{out} cannot be written: {last}. Make room and call again; finished runs are kept."
                raise DataError(message)
            with job_lock(out, draft):
                store_run(out, draft.model_copy(update={"reason": reason}), {})
        card = read_card(run_folder(out, draft)) or draft
        if card.status == "failed" and self.settings.verbose:
            self.settings.progress.say("\n".join(lines))
        return card.status if card.status == "done" else f"{card.status}: {card.reason}"


def _task(job: Job, out: Path, settings: Settings) -> dict[str, object]:
    return {
        "out": str(out.resolve()),
        "draft": job.draft.model_dump_json(),
        "reference": job.method.reference,
        "carried": job.method.carried,
        "force": settings.force,
        **{key: str(Path(value).resolve()) if value else "" for key, value in job.task.items()},
    }
