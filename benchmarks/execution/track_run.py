"""A run of a track, in a worker whose child fits the track and predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...data_manifests.errors import listed
from ...data_manifests.files.atomic_writes import is_write_error
from .child import end_as
from .job import Job
from .store import RefusedWriteError, drop_scratch, is_done, is_finished, job_lock, scratch_folder, store_run
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
        with child:
            _run_and_store(job, child)
    except OSError as fault:
        if not is_write_error(fault, job.out):
            raise
        raise RefusedWriteError(str(fault)) from fault


def _run_and_store(job: Job, child: Child) -> None:
    with job_lock(job.out, job.draft):
        if is_finished(job.out, job.draft) and not job.force:
            return
        unfinished = [name for name, folder in job.base_folders.items() if not is_done(folder)]
        if unfinished:
            reason = f"it is built on {listed(unfinished)}, which did not finish"
            store_run(job.out, job.draft.changed(status="skipped", reason=reason), {})
            return
        code, card, tables = attempt(job, scratch_folder(job.out, job.draft), child)
        if code:  # killed, or ended by a library
            end_as(code)
        store_run(job.out, card, tables)
        drop_scratch(job.out, card)
