"""Fetch a published data set: download, check, unpack, and put it where it is looked for."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..dataset import own_folder
from ..errors import DataError, ManifestError
from ..files.atomic_writes import whole_folder, write_errors
from ..files.cache import cache_folder
from ..readers.layouts import locate
from ..seeds import sha256_file
from .download import Resuming, announced_bytes, need_room
from .unpack import is_archive, look_through, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..manifest import Download, Manifest

    Counting = Callable[[str, int | None, str], AbstractContextManager[Callable[[int], object]]]


@dataclass(frozen=True)
class Fetched:
    """A data set that is there.

    Attributes:
        folder: where it lies.
        was_there: whether nothing had to be done.
        pins: hash of each file that was downloaded and whose hash no manifest states, by address.
        former: where the folder lies now that was there before and was fetched again; None when there was none.

    """

    folder: Path
    was_there: bool
    pins: dict[str, str]
    former: Path | None = None


def _silently(label: str, total: int | None, unit: str) -> AbstractContextManager[Callable[[int], object]]:  # noqa: ARG001 - a Counting
    return nullcontext(lambda _: None)


def fetch(
    manifest: Manifest, out: Path | None = None, *, force: bool = False, counting: Counting = _silently
) -> Fetched:
    """Fetch a data set, whole or not at all; a broken download goes on with the next call.

    Args:
        manifest: of the data set; its `downloads` say what to fetch.
        out: folder of the data set; None is the place in the cache where `load` and `run` look.
        force: fetch what is there already, too; the former folder is kept beside under another name.
        counting: shows progress; called with a label, the total or None, and the unit.

    Raises:
        ManifestError: the manifest names no download, or a root outside of its archive.
        DataError: something cannot be fetched, is not what was expected, or finds no room; or the folder holds
            something else than a data set.

    """
    from filelock import FileLock

    folder = (cache_folder() / "data" / manifest.name if out is None else out).resolve()
    if not manifest.downloads:
        message = (
            f"The files of '{manifest.name}' cannot be fetched: its manifest names no download. "
            f"'planktonbench data show {manifest.name}' shows where they come from."
        )
        raise ManifestError(message)
    _refuse_roots_outside(manifest)
    with write_errors(folder, "Make room, or choose another place with --out DIR."):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock")):
            own = own_folder(manifest.name) if out is None and not force else None
            there = own or folder
            if _holds_a_set(there) and not force:
                return Fetched(there, was_there=True, pins={})
            return _fetch(manifest, folder, counting)


def _refuse_roots_outside(manifest: Manifest) -> None:
    """Refuse a manifest that would have other folders moved than those of its archives."""
    for entry in manifest.downloads:
        root = PurePosixPath((entry.root or "").replace("\\", "/"))
        if root.is_absolute() or ".." in root.parts or ":" in str(root):
            message = (
                f"The root '{entry.root}' of {entry.url} leads out of the archive; expected a folder inside of it."
            )
            raise ManifestError(message)


def _holds_a_set(folder: Path) -> bool:
    """Tell a folder with a data set from one that is empty or missing.

    Raises:
        DataError: the folder holds something else.

    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    try:
        locate(folder)
    except DataError as fault:
        message = f"{folder} is not empty and holds no data set. Move it away, or choose another --out DIR. ({fault})"
        raise DataError(message) from fault
    return True


def _fetch(manifest: Manifest, folder: Path, counting: Counting) -> Fetched:
    store = folder.with_name(f".{folder.name}.downloads")
    store.mkdir(exist_ok=True)
    files = [_download(entry, store / name, counting) for name, entry in _named(manifest)]
    pins = {
        entry.url: sha256_file(file)
        for file, entry in zip(files, manifest.downloads, strict=True)
        if entry.sha256 is None
    }
    former: list[Path | None] = []
    with whole_folder(folder, make_room=lambda there: former.append(_aside(there)), durable=False) as part:
        for file, entry in zip(files, manifest.downloads, strict=True):
            _lay_out(file, entry, part, counting)
    shutil.rmtree(store)
    return Fetched(folder, was_there=False, pins=pins, former=former[0])


def _aside(folder: Path) -> Path | None:
    """Move a folder out of the way, under the first free name beside; whose it is, we cannot know."""
    if not folder.exists():
        return None
    if not any(folder.iterdir()):
        folder.rmdir()
        return None
    names = (folder.with_name(f"{folder.name}.former-{number}") for number in count(1))
    return folder.rename(next(name for name in names if not name.exists()))


def _named(manifest: Manifest) -> list[tuple[str, Download]]:
    """Name the file of each download by the end of its address, with a number where there are several."""
    ends = [PurePosixPath(urlsplit(entry.url).path).name or "download" for entry in manifest.downloads]
    several = len(ends) > 1
    names = [f"{number:02d}-{end}" if several else end for number, end in enumerate(ends, start=1)]
    return list(zip(names, manifest.downloads, strict=True))


def _download(entry: Download, file: Path, counting: Counting) -> Path:
    import pooch

    if file.is_file():
        _refuse_other_hash(file, entry)
        return file
    part = file.with_name(f"{file.name}.part")
    total = entry.bytes or announced_bytes(entry.url)
    there = part.stat().st_size if part.is_file() else 0
    need_room(file.parent, None if total is None else total - there, entry.url)
    pooch.get_logger().setLevel("WARNING")
    known = None if entry.sha256 is None else f"sha256:{entry.sha256}"
    with counting(f"fetching {file.name}", total, "bytes") as advance:
        downloader = Resuming(part, entry.bytes, advance)
        try:
            pooch.retrieve(entry.url, known, fname=file.name, path=file.parent, downloader=downloader)
        except ValueError as fault:
            message = (
                f"{entry.url} is not the file whose sha256 the manifest pins ({entry.sha256}). It was removed: {fault} "
                "Either it was damaged on its way (fetch again), or the publisher has changed it."
            )
            raise DataError(message) from fault
    return file


def _refuse_other_hash(file: Path, entry: Download) -> None:
    """Refuse a file that was left or put here and is not the one that is pinned; it may be somebody's only copy."""
    if entry.sha256 is not None and (found := sha256_file(file)) != entry.sha256:
        message = (
            f"{file} has the sha256 {found}; the manifest pins {entry.sha256} for {entry.url}. Delete it to have the "
            "file downloaded, put the right one there, or, when the publisher has changed it, pin the new sha256."
        )
        raise DataError(message)


def _lay_out(file: Path, entry: Download, part: Path, counting: Counting) -> None:
    """Unpack an archive, or copy a single file, into the data set's new folder."""
    if not is_archive(file):
        if file.suffix.lower() in {".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz"} and file.suffixes[-2:-1] != [".csv"]:
            message = f"{file} is not an archive, despite its name. Inspect it, or delete it to fetch it again."
            raise DataError(message)
        shutil.copy2(file, part / file.name)
        return
    contents = look_through(file)
    need_room(part, contents.bytes_on_disk, f"unpacking {file.name}")
    inside = part / ".unpacked"
    with counting(f"unpacking {file.name}", contents.bytes, "bytes") as advance:
        unpack(contents, inside, advance)
    root = inside / entry.root if entry.root else inside
    if not root.is_dir():
        found = ", ".join(sorted(path.name for path in inside.iterdir())[:10])
        message = f"{file} holds no folder '{entry.root}', which the manifest names; found: {found or 'nothing'}."
        raise DataError(message)
    for path in sorted(root.iterdir()):
        if (part / path.name).exists():
            message = f"{file}: '{path.name}' came with another download of the data set, too."
            raise DataError(message)
        path.rename(part / path.name)
    shutil.rmtree(inside)
