"""Kept networks: structure and weights in a `.keras` file, from which no code is loaded."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import keras

from ...data_manifests.errors import TrackError

if TYPE_CHECKING:
    from pathlib import Path

METADATA = "metadata.json"
START_OF_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest time in a zip file


def save_network(model: keras.Model, path: Path) -> None:
    """Write a network without its optimiser; the same training in another process gives the same bytes.

    Layers that are not Keras's own must be registered (`keras.saving.register_keras_serializable`).

    Args:
        model: functional model.
        path: file whose name ends in `.keras`.

    """
    keras.Model(model.input, model.output, name=model.name).save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[METADATA] = json.dumps({**json.loads(members[METADATA]), "date_saved": ""}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, START_OF_TIME), content)


def load_network(path: Path) -> keras.Model:
    """Read a network written by `save_network`, for prediction or for further training.

    Lambda layers, whose code would be in the file, are refused. Modules of registered layers must have been imported.

    Raises:
        TrackError: the file cannot be read.

    """
    from . import batch_normalisation, cosine_classifier  # noqa: F401 - register their layers

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as fault:  # Keras raises errors of many kinds
        reason = str(fault).partition("\n")[0]
        message = (
            f"{path.name} is not a network that can be read ({type(fault).__name__}: {reason}); expected a .keras file "
            "of registered layers, written by this version of the track. Repeat its run with --keep-models."
        )
        raise TrackError(message) from fault
