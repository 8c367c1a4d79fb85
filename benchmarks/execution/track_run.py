"""A run of a track, in a worker whose child fits the track and predicts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from ...data_manifests.errors import listed
from ...data_manifests.files.atomic_writes import is_write_error
from .child import end_as
from .job import Job
from .store import (
    CANNOT_WRITE,
    RefusedWriteError,
    drop_scratch,
    has_model,
    is_done,
    is_finished,
    job_lock,
    scratch_folder,
    store_run,
)
from .supervised_run import attempt
from .track_process import fit_and_predict

if TYPE_CHECKING:
    from .child import Child

in_child = fit_and_predict
"""Function of the child, which the worker starts before it reads the job."""


def run_job(message: str, child: Child) -> None:
    """Execute the run of a job and store it; failures of the track and unfinished base runs are recorded in its card.

    Args:
        message: the `Job` as JSON.
        child: process for the track, which waits for its message.

    Raises:
        RefusedWriteError: the run could not be written.

    """
    job = Job.model_validate_json(message)
    try:
        _run_and_store(job, child)
    except OSError as fault:
        if not is_write_error(fault, job.out):
            raise
        raise RefusedWriteError(str(fault)) from fault


def _run_and_store(job: Job, child: Child) -> None:
    with job_lock(job.out, job.draft):
        if is_finished(job.out, job.draft, with_model=job.needs_model) and not job.force:
            return
        reason = _missing_base(job)
        if reason:
            store_run(job.out, job.draft.changed(status="skipped", reason=reason), {})
            return
        code, result = attempt(job, scratch_folder(job.out, job.draft), child)
        if code:  # killed, or ended by a library
            _end_as_child(code)
        store_run(job.out, result.card, result.tables, result.model)
        drop_scratch(job.out, result.card)


def _end_as_child(code: int) -> NoReturn:
    """End this worker as its child has ended, but never with the code of a worker that cannot write."""
    if code == CANNOT_WRITE:
        print(f"the process of the track ended with code {code}", file=sys.stderr)  # noqa: T201 - the reason
        code = 1
    end_as(code)


def _missing_base(job: Job) -> str:
    """Return what is missing of the runs that a run is built on, as its reason; empty if nothing is."""
    unfinished = [name for name, folder in job.base_folders.items() if not is_done(folder)]
    if unfinished:
        return f"it is built on {listed(unfinished)}, which did not finish"
    if job.continued is not None and not has_model(job.continued):
        return f"it continues {job.draft.track.continues}, whose model was not kept"
    return ""
