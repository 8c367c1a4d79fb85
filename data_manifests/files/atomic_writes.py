"""Atomic writes: a file or folder appears complete or not at all, and a refusal of the system becomes one message."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REFUSALS = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EEXIST,
        errno.EFBIG,
        errno.EIO,
        errno.EISDIR,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)
"""Error numbers with which the system refuses to write: no room, no permission, or no such place."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file completely or not at all: under a temporary name, flushed to the disk, then renamed.

    What a writer that was killed left beside the file is overwritten, so two writers of one file need a lock.

    Args:
        path: the file; its folder is made.
        write: writes to the path that it is given.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".part-{path.name}")
    try:
        write(part)
        flush(part)
        part.replace(path)
        flush(path.parent)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def whole_folder(
    folder: Path, *, make_room: Callable[[Path], object] | None = None, durable: bool = True
) -> Iterator[Path]:
    """Fill a folder that appears completely or not at all: under a temporary name, then renamed.

    What a writer that was killed left is removed first, so two writers of one folder need a lock.

    Args:
        folder: the folder; those above it are made.
        make_room: moves away what is in its place; None removes it.
        durable: flush every file to the disk before the folder gets its name. Without, a power cut may leave files of
            it empty, which is enough for what can be written again.

    Yields:
        An empty folder beside it, to be filled. When filling fails, it is removed and `folder` stays as it was.

    """
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        for path in [*part.rglob("*"), part] if durable else []:
            flush(path)
        if make_room is not None:
            make_room(folder)
        elif folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
        flush(folder.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def flush(path: Path) -> None:
    """Ask the system to put a file or folder on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def write_errors(place: Path, advice: str) -> Iterator[None]:
    """Turn the system's refusal to write a file or folder into a message; other errors pass.

    Args:
        place: what is written.
        advice: what to do, one or two sentences.

    Raises:
        DataError: the system refused.

    """
    try:
        yield
    except OSError as fault:
        if not is_refusal(fault, place):
            raise
        message = f"{place} cannot be written: {fault}. {advice}"
        raise DataError(message) from fault


def is_refusal(fault: OSError, place: Path) -> bool:
    """Return whether the system refused to write a place: an error of `REFUSALS`, about no other file."""
    if fault.errno not in REFUSALS:
        return False
    if not isinstance(fault.filename, str | os.PathLike):
        return fault.errno != errno.ENOENT
    path, place = Path(fault.filename).absolute(), place.absolute()
    return path.is_relative_to(place.parent) or place.is_relative_to(path)
