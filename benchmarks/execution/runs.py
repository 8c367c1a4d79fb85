"""Runs of a plan: whatever is missing is run, and its outcome reported."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...data_manifests.errors import SuiteError
from ...reports.results.stored_run import StoredRun
from ...reports.run_files.card import read_card
from .processes import Processes
from .scheduler import run_jobs
from .store import (
    CANNOT_WRITE,
    RefusedWriteError,
    differences,
    drop_scratch,
    drop_stale_scratch,
    is_finished,
    job_lock,
    store_files,
    store_run,
)
from .track_run import run_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from .job import Job
    from .scheduler import Backend, Ending
    from .settings import Settings


@contextmanager
def opened_backend(out: Path, settings: Settings, prepare_inputs: Callable[[str], None]) -> Iterator[Backend]:
    """Open the back end for jobs: a Dask cluster if its scheduler is given, else worker processes on this machine.

    At the end it is stopped, with all its jobs.

    Args:
        out: the results folder.
        settings: the settings of the run.
        prepare_inputs: module-level function that prepares the inputs of an `InputRequest`, given as JSON, on a worker
            that does not share them.

    Raises:
        SuiteError: the cluster cannot be used.

    """
    backend: Backend
    if settings.scheduler:
        try:
            from .dask_cluster import DaskCluster
        except ModuleNotFoundError as fault:
            message = f"--scheduler needs Dask ({fault}). Install it: pip install 'planktonbench[dask]'"
            raise SuiteError(message) from fault

        backend = DaskCluster(settings.scheduler, out, settings.progress, prepare_inputs, jobs=settings.jobs)
    else:
        backend = Processes(settings.jobs, settings.threads, settings.progress)
    try:
        yield backend
    finally:
        backend.stop()


def run_missing(jobs: Sequence[Job], backend: Backend, settings: Settings) -> None:
    """Run the jobs that are not finished, and report their outcomes.

    Args:
        jobs: the jobs of the plan.
        backend: from `opened_backend`.
        settings: for the log.

    Raises:
        RefusedWriteError: a run could not be written.
        SuiteError: a worker lacks something.

    """
    progress = settings.progress
    missing = _missing(jobs)
    to_do = {job.key for job in missing}
    for job in jobs:
        if job.key not in to_do:
            drop_stale_scratch(job.out, job.draft)
    before = len(jobs) - len(missing)
    finished = f" ({before} finished before)" if before else ""
    progress.log(f"{len(missing)} of {len(jobs)} runs to do{finished}; {backend.description}")
    for job in missing:
        _log_change(job, settings)
    possible = [job for job in missing if not _skip(job, settings)]
    if not possible:
        return
    backend.inspect(possible)
    with progress.work(len(possible)):
        for job, ending in run_jobs(possible, run_job, backend):
            progress.job_finished(job.label, _outcome(job, ending, settings))


def _missing(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs to be done, in order: those that are not finished, and those whose model one of these needs.

    Args:
        jobs: the jobs of a plan, each after those on which it is built.

    """
    needed: set[str] = set()
    missing = []
    for job in reversed(jobs):
        wanted = job.changed(needs_model=True) if job.key in needed else job
        if job.force or not is_finished(job.out, job.draft, with_model=wanted.needs_model):
            missing.append(wanted)
            needed |= {str(job.continued)} if job.continued else set()
    return missing[::-1]


def _log_change(job: Job, settings: Settings) -> None:
    """Log why a finished run is repeated."""
    stored = read_card(job.folder)
    if stored is not None and stored.status == "done":
        changed = differences(stored, job.draft)
        reason = f"the following changed: {'; '.join(changed)}" if changed else "of --force"
        if not changed and not job.force:
            wanted = "--keep-models asks for" if settings.keep_models else "another run continues"
            reason = f"it has no kept model, which {wanted}"
        settings.progress.log(f"{job.label}: rerun because {reason}")


def _skip(job: Job, settings: Settings) -> bool:
    """Store a run that is skipped because the data set lacks its inputs; return whether it was skipped."""
    if job.draft.status != "skipped":
        return False
    with job_lock(job.out, job.draft):
        store_run(job.out, job.draft, {})
    settings.progress.log(f"{job.label}: skipped, {job.draft.reason}")
    return True


def _outcome(job: Job, ending: Ending, settings: Settings) -> str:
    """Return the outcome of a job as text, with its score; a worker that died is recorded as a failed run.

    Raises:
        RefusedWriteError: the worker could not write its run.

    """
    if ending.code != 0:
        last = ending.log[-1] if ending.log else "no message"
        if ending.code == CANNOT_WRITE:
            raise RefusedWriteError(last)
        reason = f"the worker ended with code {ending.code}: {last}"
        if ending.code < 0:
            reason = f"the worker was killed by signal {-ending.code} (out of memory?)"
        with job_lock(job.out, job.draft):
            if not _is_stored(job):  # else the worker died after that
                store_run(job.out, job.draft.changed(reason=reason), {})
    if ending.files:
        with job_lock(job.out, job.draft):
            if not _is_stored(job):  # else another call has done the same run
                store_files(job.out, job.draft, ending.files)
            drop_scratch(job.out, job.draft)
    card = read_card(job.folder) or job.draft
    if card.status == "failed" and settings.verbose:
        settings.progress.log("\n".join(ending.log))
    if card.status != "done":
        return f"{card.status}: {card.reason}"
    return f"done, macro F1 {StoredRun(job.out, job.folder, card).test_macro_f1():.3f}"


def _is_stored(job: Job) -> bool:
    """Return whether the run was stored as finished since the job was planned."""
    stored = read_card(job.folder)
    if stored is None or not is_finished(job.out, job.draft, with_model=job.needs_model):
        return False
    return not job.force or stored.created >= job.draft.created
