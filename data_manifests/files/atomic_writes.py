"""Atomic writes of files and folders, with one message for all write errors of the operating system."""

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

WRITE_ERRNOS = frozenset(
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
"""Error numbers of failed writes, such as a full disk, missing permissions or an invalid path."""


def atomic_write(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file atomically: to a temporary file that is flushed to disk and then renamed.

    A temporary file from an interrupted write is overwritten, so concurrent writers of the same file need a lock.

    Args:
        path: the file; its folder is created if necessary.
        write: function that writes the content to a given path.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{path.name}")
    try:
        write(temporary)
        flush(temporary)
        temporary.replace(path)
        flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(
    folder: Path, *, move_existing: Callable[[Path], object] | None = None, durable: bool = True
) -> Iterator[Path]:
    """Create a folder atomically: its files are written to a temporary folder that is then renamed.

    A temporary folder from an interrupted write is removed first, so concurrent writers of the same folder need a lock.

    Args:
        folder: the folder; parent folders are created if necessary.
        move_existing: function that moves `folder` away if it exists; by default, it is removed.
        durable: flush every file to disk before renaming. Otherwise a power failure may leave empty files, which is
            acceptable for files that can be regenerated.

    Yields:
        An empty temporary folder. If an exception is raised, it is removed and `folder` remains unchanged.

    """
    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for path in [*temporary.rglob("*"), temporary] if durable else []:
            flush(path)
        if move_existing is not None:
            move_existing(folder)
        elif folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
        flush(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def flush(path: Path) -> None:
    """Flush a file or folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def write_errors(path: Path, advice: str) -> Iterator[None]:
    """Convert write errors of a file or folder, and missing files in it, to `DataError`; other errors are passed on.

    Args:
        path: the file or folder that is written.
        advice: recommended action for the message, one or two sentences.

    Raises:
        DataError: the file or folder cannot be written, or a file in it that should be read does not exist.

    """
    try:
        yield
    except OSError as fault:
        if is_missing_file(fault, path):
            message = f"{fault.filename} does not exist, but is needed. Restore it, or delete its folder and run again."
            raise DataError(message) from fault
        if not is_write_error(fault, path):
            raise
        message = f"{path} cannot be written: {fault}. {advice}"
        raise DataError(message) from fault


def is_write_error(fault: OSError, path: Path) -> bool:
    """Return whether an error has a code of `WRITE_ERRNOS` and concerns a given file or folder and no other."""
    if fault.errno not in WRITE_ERRNOS or is_missing_file(fault, path):
        return False
    if not isinstance(fault.filename, str | os.PathLike):
        return fault.errno != errno.ENOENT
    affected, path = Path(fault.filename).absolute(), path.absolute()
    return affected.is_relative_to(path.parent) or path.is_relative_to(affected)


def is_missing_file(fault: OSError, path: Path) -> bool:
    """Return whether an error is that of reading a file that does not exist in a given folder or beside it.

    A file that cannot be created has the same code only if its folder does not exist either.
    """
    if fault.errno != errno.ENOENT or not isinstance(fault.filename, str | os.PathLike):
        return False
    missing = Path(fault.filename).absolute()
    return missing.is_relative_to(path.absolute().parent) and missing.parent.is_dir() and not os.path.lexists(missing)
