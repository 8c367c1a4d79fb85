"""Runs on a machine that does not share the results folder: the files that a run needs, and those it makes."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ...models.kept.model_facts import MODEL, model_files
from ...reports.run_files.card import CARD
from ...reports.run_files.run_folder import EMBEDDINGS, PREDICTIONS, VALID

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .job import Job

BASE_RUN_FILES = (CARD, PREDICTIONS, VALID, EMBEDDINGS)
"""Files of a base run that a run reads."""


def needed_files(job: Job) -> dict[str, bytes]:
    """Return the files in the results folder that a run reads: truth, those of its base runs, and a continued model.

    Returns:
        Contents by path relative to the results folder.

    """
    files = [job.truth, *(folder / name for folder in job.base_folders.values() for name in BASE_RUN_FILES)]
    files += [] if job.continued is None else model_files(job.continued / MODEL)
    return {path.relative_to(job.out).as_posix(): path.read_bytes() for path in files if path.is_file()}


@contextmanager
def temporary_results(job: Job, files: Mapping[str, bytes], parent: Path) -> Iterator[Job]:
    """Create a temporary results folder with the files that a run needs; at the end, it is removed.

    Args:
        job: the job.
        files: from `needed_files`.
        parent: folder in which the temporary folder is created.

    Yields:
        The job with this results folder.

    Raises:
        OSError: the files cannot be written.

    """
    with TemporaryDirectory(prefix="planktonbench-", dir=parent, ignore_cleanup_errors=True) as name:
        out = Path(name).resolve()
        for path, content in files.items():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_bytes(content)
        yield job.changed(out=out, truth=out / job.truth.relative_to(job.out))


def run_files(job: Job) -> dict[str, bytes]:
    """Return the files of a stored run by path in its folder."""
    files = (path for path in sorted(job.folder.rglob("*")) if path.is_file())
    return {path.relative_to(job.folder).as_posix(): path.read_bytes() for path in files}
