"""Formats of the files of a kept model: those from which reading does not execute code."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from ...data_manifests.errors import TrackError
from .model_facts import FACTS, model_files

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = (".csv", ".h5", ".json", ".keras", ".npy", ".npz", ".parquet", ".safetensors", ".txt", ".ubj")
"""Suffixes of the files that a track may write; `.ubj` is a model of XGBoost."""

PICKLES = (".pkl", ".pickle")
"""Suffixes of pickles in archives."""

PICKLE_START = b"\x80"
"""First byte of a pickle from protocol 2 on, which is none of JSON, HDF5, zip, NumPy, parquet or UTF-8."""


def check_formats(folder: Path, track: str) -> None:
    """Check that a track has written files of safe formats only.

    Args:
        folder: folder into which the track has written its model.
        track: name of the track, for the message.

    Raises:
        TrackError: a file is a link, a pickle or of another format, or has the name of the suite's own file, or the
            folder is a link.

    """
    if folder.is_symlink():
        message = f"save of track '{track}' replaced its folder by a link; expected files in the folder {folder}."
        raise TrackError(message)
    for path in model_files(folder):
        problem = _problem(path, path.relative_to(folder).as_posix())
        if problem:
            message = (
                f"save of track '{track}' wrote {path.relative_to(folder).as_posix()}, which {problem}; expected files "
                f"that are read without executing code: {', '.join(FORMATS)}. Write arrays as .npz, and text as .json."
            )
            raise TrackError(message)


def _problem(path: Path, name: str) -> str:
    """Return why a file may not be part of a model, as the end of a sentence; empty if it may."""
    if path.is_symlink() or not path.is_file():
        return "is not a plain file"
    if name == FACTS:
        return "is a name that is reserved"
    if path.suffix not in FORMATS:
        return f"has the suffix '{path.suffix}'"
    with path.open("rb") as file:
        start = file.read(1)
    if start == PICKLE_START or _contains_pickle(path):
        return "is or contains a pickle"
    return ""


def _contains_pickle(path: Path) -> bool:
    """Return whether a file is an array of objects, or an archive that contains one or a pickle."""
    if path.suffix == ".npy":
        return _has_objects(path.read_bytes())
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        arrays = (archive.read(name) for name in names if name.endswith(".npy"))
        return any(name.endswith(PICKLES) for name in names) or any(map(_has_objects, arrays))


def _has_objects(content: bytes) -> bool:
    """Return whether an array in the format of NumPy has objects, which are pickled; also if it cannot be read."""
    import io

    import numpy as np

    try:
        np.load(io.BytesIO(content), allow_pickle=False)
    except ValueError:
        return True
    return False
