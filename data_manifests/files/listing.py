"""Recursive listing of a folder, and detection of images, archives and hidden files.

Paths are handled as strings, since creating a million `Path` objects takes longer than reading the directory entries.
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
SOLID_SUFFIXES = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".7z", ".rar")
"""Archives without random access: a single image cannot be read without unpacking all files before it."""


def walk(folder: Path) -> Iterator[str]:
    """Yield the relative paths of all files and subfolders, sorted by name; folders end with a slash.

    Hidden folders and links to a parent folder are skipped.

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
        elif not is_hidden(name) and not (is_link and _is_cyclic_link(folder, name)):
            yield f"{prefix}{name}/"
            yield from _walk(f"{folder}/{name}", f"{prefix}{name}/")


def _is_cyclic_link(folder: str, link: str) -> bool:
    """Return whether a link points to the folder that contains it or to one of its parents."""
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(f"{folder}/{link}"))


def file_size(path: str) -> int:
    """Return the size of a file in bytes; -1 for a broken link."""
    try:
        return os.stat(path).st_size  # noqa: PTH116 - faster, see the module docstring
    except OSError:
        return -1


def changed_at(path: str) -> str:
    """Return the times at which content and metadata of a file were last changed.

    The times are in nanoseconds since 1970, separated by a slash; an empty string for a broken link. Programs cannot
    reset the time of the metadata.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - faster, see the module docstring
    except OSError:
        return ""
    return f"{found.st_mtime_ns}/{found.st_ctime_ns}"


def is_archive(path: Path) -> bool:
    """Return whether a file is an archive, by its suffix; includes unsupported archives."""
    return path.name.lower().endswith((*ARCHIVE_SUFFIXES, *SOLID_SUFFIXES))


def is_image(name: str) -> bool:
    """Return whether a file is an image, by its suffix."""
    stem, _, suffix = name.rpartition(".")
    return bool(stem) and f".{suffix.lower()}" in IMAGE_SUFFIXES


def is_hidden(name: str) -> bool:
    """Return whether a path is hidden: a component starts with a dot or is macOS metadata in an archive."""
    path = f"/{name.removeprefix('./')}/"
    return "/." in path or "/__MACOSX/" in path
