"""The files below a folder, and which of them are images, archives, or hidden.

All of it works on text: a million `Path` objects would take longer than a million directory entries.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif"})
ARCHIVE_SUFFIXES = (".zip", ".tar")
SEALED_SUFFIXES = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".7z", ".rar")
"""Archives from which no single image can be read without unpacking what lies before it."""


def walk(folder: Path) -> Iterator[str]:
    """Yield the files below a folder and, with a slash at the end, its sub-folders, in order of names.

    Hidden folders are not entered, nor links that lead back to where they lie.

    Raises:
        DataError: a folder cannot be listed.

    """
    yield from _walk(str(folder), "")


def _walk(folder: str, prefix: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.is_dir(), entry.is_symlink()) for entry in entries)
    except OSError as fault:
        message = f"{folder} cannot be listed: {fault}"
        raise DataError(message) from fault
    for name, is_folder, is_link in found:
        if not is_folder:
            yield prefix + name
        elif not is_hidden(name) and not (is_link and _leads_back(folder, name)):
            yield f"{prefix}{name}/"
            yield from _walk(f"{folder}/{name}", f"{prefix}{name}/")


def _leads_back(folder: str, link: str) -> bool:
    """Tell whether a link in a folder leads to that folder or to one that it lies in."""
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(f"{folder}/{link}"))


def file_size(path: str) -> int:
    """Return the size of a file in bytes, -1 of a link that leads nowhere."""
    try:
        return os.stat(path).st_size  # noqa: PTH116 - see the module
    except OSError:
        return -1


def changed_at(path: str) -> str:
    """Return when a file was changed last: its content, and its entry in the file system, which no program sets back.

    Nanoseconds since 1970 joined by a slash; nothing for a link that leads nowhere.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - see the module
    except OSError:
        return ""
    return f"{found.st_mtime_ns}/{found.st_ctime_ns}"


def is_archive(path: Path) -> bool:
    """Tell archives from other files by their suffix, those included from which images cannot be read."""
    return path.name.lower().endswith((*ARCHIVE_SUFFIXES, *SEALED_SUFFIXES))


def is_image(name: str) -> bool:
    """Tell images from other files by their suffix."""
    stem, _, suffix = name.rpartition(".")
    return bool(stem) and f".{suffix.lower()}" in IMAGE_SUFFIXES


def is_hidden(name: str) -> bool:
    """Tell what lies in a hidden place: a part of the path begins with a dot, or is what macOS puts into archives."""
    path = f"/{name.removeprefix('./')}/"
    return "/." in path or "/__MACOSX/" in path
