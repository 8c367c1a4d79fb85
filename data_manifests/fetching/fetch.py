"""Fetch a published data set: download, verify, unpack, and install it in the data folder."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..dataset import local_folder
from ..errors import DataError, ManifestError
from ..files.atomic_writes import atomic_folder, write_errors
from ..files.cache import cache_folder
from ..readers.layouts import locate
from ..seeds import sha256_file
from .download import ResumableDownloader, announced_bytes, require_disk_space
from .unpack import inspect_archive, is_archive, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..manifest import Download, Manifest

    ProgressCounter = Callable[[str, int | None, str], AbstractContextManager[Callable[[int], object]]]


@dataclass(frozen=True)
class Fetched:
    """A fetched data set.

    Attributes:
        folder: folder of the data set.
        already_present: whether the data set existed and nothing was downloaded.
        pins: sha256 of each downloaded file that the manifest does not pin, by URL.
        previous: new path of the folder that was replaced; None if there was none.

    """

    folder: Path
    already_present: bool
    pins: dict[str, str]
    previous: Path | None = None


def _silent(label: str, total: int | None, unit: str) -> AbstractContextManager[Callable[[int], object]]:  # noqa: ARG001 - a ProgressCounter
    return nullcontext(lambda _: None)


def fetch(
    manifest: Manifest, out: Path | None = None, *, force: bool = False, counting: ProgressCounter = _silent
) -> Fetched:
    """Fetch a data set, completely or not at all; the next call resumes an interrupted download.

    Args:
        manifest: manifest of the data set; its `downloads` list the files to fetch.
        out: folder of the data set; None means the cache folder that `load` and `run` search.
        force: fetch again even if the data set exists; the previous folder is renamed and kept.
        counting: progress display; called with a label, the total or None, and the unit.

    Raises:
        ManifestError: the manifest lists no downloads, or a root outside its archive.
        DataError: a file cannot be downloaded or does not match the manifest, there is not enough disk space, or the
            folder contains something other than a data set.

    """
    from filelock import FileLock

    folder = (cache_folder() / "data" / manifest.name if out is None else out).resolve()
    if not manifest.downloads:
        message = (
            f"The files of '{manifest.name}' cannot be fetched: its manifest lists no downloads. "
            f"'planktonbench data show {manifest.name}' shows their source."
        )
        raise ManifestError(message)
    _check_roots(manifest)
    with write_errors(folder, "Free some space, or choose another folder with --out DIR."):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock")):
            own = local_folder(manifest.name) if out is None and not force else None
            present = own or folder
            if _contains_dataset(present) and not force:
                return Fetched(present, already_present=True, pins={})
            return _fetch(manifest, folder, counting)


def _check_roots(manifest: Manifest) -> None:
    """Reject a manifest whose root would move folders from outside its archive."""
    for entry in manifest.downloads:
        root = PurePosixPath((entry.root or "").replace("\\", "/"))
        if root.is_absolute() or ".." in root.parts or ":" in str(root):
            message = (
                f"The root '{entry.root}' of {entry.url} is outside the archive; expected a folder inside it. "
                "Correct the manifest."
            )
            raise ManifestError(message)


def _contains_dataset(folder: Path) -> bool:
    """Return whether a folder contains a data set; False if it is empty or missing.

    Raises:
        DataError: the folder contains something else.

    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    try:
        locate(folder)
    except DataError as fault:
        message = f"{folder} is not empty and contains no data set. Move it, or choose another --out DIR. ({fault})"
        raise DataError(message) from fault
    return True


def _fetch(manifest: Manifest, folder: Path, counting: ProgressCounter) -> Fetched:
    store = folder.with_name(f".{folder.name}.downloads")
    store.mkdir(exist_ok=True)
    files = [_download(entry, store / name, counting) for name, entry in _named(manifest)]
    pins = {
        entry.url: sha256_file(file)
        for file, entry in zip(files, manifest.downloads, strict=True)
        if entry.sha256 is None
    }
    previous: list[Path | None] = []
    with atomic_folder(folder, move_existing=lambda old: previous.append(_set_aside(old)), durable=False) as new:
        for file, entry in zip(files, manifest.downloads, strict=True):
            _install(file, entry, new, counting)
    shutil.rmtree(store)
    return Fetched(folder, already_present=False, pins=pins, previous=previous[0])


def _set_aside(folder: Path) -> Path | None:
    """Rename a folder to the first free name next to it, since it may contain the user's own files."""
    if not folder.exists():
        return None
    if not any(folder.iterdir()):
        folder.rmdir()
        return None
    names = (folder.with_name(f"{folder.name}.former-{number}") for number in count(1))
    return folder.rename(next(name for name in names if not name.exists()))


def _named(manifest: Manifest) -> list[tuple[str, Download]]:
    """Return a file name for each download: the last part of its URL, numbered if there are several."""
    ends = [PurePosixPath(urlsplit(entry.url).path).name or "download" for entry in manifest.downloads]
    several = len(ends) > 1
    names = [f"{number:02d}-{end}" if several else end for number, end in enumerate(ends, start=1)]
    return list(zip(names, manifest.downloads, strict=True))


def _download(entry: Download, file: Path, counting: ProgressCounter) -> Path:
    import pooch

    if file.is_file():
        _check_hash(file, entry)
        return file
    partial_file = file.with_name(f"{file.name}.part")
    total = entry.bytes or announced_bytes(entry.url)
    received = partial_file.stat().st_size if partial_file.is_file() else 0
    require_disk_space(file.parent, None if total is None else total - received, entry.url)
    pooch.get_logger().setLevel("WARNING")
    known = None if entry.sha256 is None else f"sha256:{entry.sha256}"
    with counting(f"fetching {file.name}", total, "bytes") as advance:
        downloader = ResumableDownloader(partial_file, entry.bytes, advance)
        try:
            pooch.retrieve(entry.url, known, fname=file.name, path=file.parent, downloader=downloader)
        except ValueError as fault:
            message = (
                f"The file from {entry.url} does not have the sha256 pinned by the manifest ({entry.sha256}) and was "
                f"deleted: {fault} Either it was damaged in transit (fetch again), or the publisher has changed it."
            )
            raise DataError(message) from fault
    return file


def _check_hash(file: Path, entry: Download) -> None:
    """Reject an existing file with the wrong hash; it is kept, since it may be the user's only copy."""
    if entry.sha256 is not None and (found := sha256_file(file)) != entry.sha256:
        message = (
            f"{file} has the sha256 {found}; the manifest pins {entry.sha256} for {entry.url}. Delete it to download "
            "the file, replace it with the right one, or pin the new sha256 if the publisher has changed the file."
        )
        raise DataError(message)


def _install(file: Path, entry: Download, folder: Path, counting: ProgressCounter) -> None:
    """Unpack an archive, or copy a single file, into the data set's new folder."""
    if not is_archive(file):
        if file.suffix.lower() in {".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz"} and file.suffixes[-2:-1] != [".csv"]:
            message = f"{file} is not an archive, despite its name. Inspect it, or delete it and fetch it again."
            raise DataError(message)
        shutil.copy2(file, folder / file.name)
        return
    contents = inspect_archive(file)
    require_disk_space(folder, contents.bytes_on_disk, f"unpacking {file.name}")
    inside = folder / ".unpacked"
    with counting(f"unpacking {file.name}", contents.bytes, "bytes") as advance:
        unpack(contents, inside, advance)
    root = inside / entry.root if entry.root else inside
    if not root.is_dir():
        found = ", ".join(sorted(path.name for path in inside.iterdir())[:10])
        message = (
            f"{file} has no folder '{entry.root}', which the manifest lists as its root; found: {found or 'nothing'}."
        )
        raise DataError(message)
    for path in sorted(root.iterdir()):
        if (folder / path.name).exists():
            message = f"{file}: '{path.name}' is also in another download of the data set."
            raise DataError(message)
        path.rename(folder / path.name)
    shutil.rmtree(inside)
