"""The file with the ranking of unlabelled images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...data_manifests.errors import DataError
from ...data_manifests.files.atomic_writes import atomic_write, write_errors

if TYPE_CHECKING:
    from pathlib import Path

    from .session import MiningSession

ADVICE = "Free some disk space or choose another file; embeddings stay in the cache."


def check_ranking_path(out: Path) -> None:
    """Check, before anything is computed, that a ranking can be written, and create its folder.

    Raises:
        DataError: the suffix is not .csv, the file is a folder, or its folder cannot be created.

    """
    if out.suffix.lower() != ".csv" or out.is_dir():
        message = f"{out} cannot be written as a ranking; expected a file name ending in .csv."
        raise DataError(message)
    with write_errors(out, ADVICE):
        out.parent.mkdir(parents=True, exist_ok=True)


def check_not_overwritten(out: Path, path: Path, option: str) -> None:
    """Check that a ranking does not take the place of a file that is read.

    Args:
        out: file of the ranking.
        path: the other file, which may be missing.
        option: name of its option, for the message.

    Raises:
        DataError: they are the same file.

    """
    if out.resolve() == path.resolve():
        message = f"--out {out} is the file of {option}, which the ranking would overwrite; choose another name."
        raise DataError(message)


def write_ranking(session: MiningSession, out: Path) -> None:
    """Write the last ranking as CSV with the columns image, taxon, score and rank, atomically.

    Raises:
        DataError: the file cannot be written.

    """
    table = session.table()
    with write_errors(out, ADVICE):
        atomic_write(out, lambda target: table.to_csv(target, index=False, float_format="%.6f", lineterminator="\n"))
