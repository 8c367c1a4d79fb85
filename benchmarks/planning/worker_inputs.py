"""Inputs of jobs found or prepared on a worker that does not share those of the client.

The data set is searched under the path that the client uses, then in the folders where each machine searches it. Only
files with the same hash as on the client are used.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...data_manifests.dataset import DATA_VARIABLE, candidate_folders, open_folder
from ...data_manifests.errors import DataError, PlanktonbenchError, listed
from ...data_manifests.files.atomic_writes import atomic_write
from ...data_manifests.simulation.sample import has_sample, simulated_sample
from ..console.progress import Progress
from ..execution.environment import PROGRESS_MARK
from ..execution.job import InputRequest, PreparedInputs
from ..execution.settings import Settings
from .feature_tables import feature_tables
from .prepared_images import source_of_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ...data_manifests.dataset import Dataset
    from ..execution.job import InputRecipe


class MarkedProgress(Progress):
    """Progress as lines that the parent process passes on to the client."""

    def log(self, line: str) -> None:
        """Write one line."""
        print(f"{PROGRESS_MARK}{line}", flush=True)  # noqa: T201 - the parent reads it


def prepare_inputs(message: str) -> None:
    """Find and prepare the inputs of jobs on this machine, and write their addresses, or why there are none.

    Args:
        message: the `InputRequest` as JSON.

    """
    request = InputRequest.model_validate_json(message)
    try:
        prepared = _prepared(request.recipe, Settings(jobs=request.processes, progress=MarkedProgress()))
    except PlanktonbenchError as fault:
        prepared = PreparedInputs(fault=str(fault))
    atomic_write(request.answer, lambda path: path.write_text(prepared.model_dump_json(), "utf-8"))


def _prepared(recipe: InputRecipe, settings: Settings) -> PreparedInputs:
    dataset = find_dataset(recipe)
    return PreparedInputs(
        native=_feature_table(dataset, recipe.features, settings) if recipe.features else None,
        images="" if dataset.images is None else dataset.images.address,
        network_images=_network_images(dataset, recipe.image_form, settings) if recipe.image_form else "",
    )


def find_dataset(recipe: InputRecipe) -> Dataset:
    """Open the data set of a recipe from the first folder on this machine that contains the same files.

    Raises:
        DataError: there is none; the message begins with a verb and lists the folders tried.

    """
    name, faults = recipe.manifest.name, []
    for folder in _folders(recipe):
        if not os.path.exists(folder):  # noqa: PTH110 - False instead of an error if a folder above it cannot be entered
            faults.append(f"{folder} does not exist")
            continue
        try:
            dataset = open_folder(recipe.manifest, folder)
        except DataError as fault:
            faults.append(str(fault))
            continue
        dataset = dataset.of_classes(recipe.selected) if recipe.selected else dataset
        dataset = dataset.without(recipe.excluded, ()) if recipe.excluded else dataset
        if dataset.data_sha256 == recipe.data_sha256:
            return replace(dataset, label=recipe.label)
        faults.append(f"{folder} has other files")
    message = (
        f"lacks the files of data set '{name}' that this call uses: {'; '.join(faults)}. "
        f"Copy them to {recipe.folder}, or set {DATA_VARIABLE} there to a folder that contains them as '{name}/'."
    )
    raise DataError(message)


def _folders(recipe: InputRecipe) -> Iterator[Path]:
    """Yield the folders in which a data set is searched; its simulated sample is drawn only if it is needed."""
    yield recipe.folder
    yield from (folder for folder in candidate_folders(recipe.manifest.name) if folder != recipe.folder)
    if recipe.simulated and has_sample(recipe.manifest.name):
        from ...features.measured.challenge import CHALLENGE_TABLE

        yield simulated_sample(recipe.manifest.name, CHALLENGE_TABLE, lambda _: None)


def _feature_table(dataset: Dataset, wanted: dict[str, Any], settings: Settings) -> Path | None:
    """Return the feature table that a card describes.

    Raises:
        DataError: the values measured here differ.

    """
    kind = wanted["table"]
    table = feature_tables(dataset, [kind], settings)[kind]
    if json.loads(json.dumps(table.identity)) != wanted:
        message = (
            f"measures other values in the images of '{dataset.name}' than the machine that planned the runs. "
            "Use workers of the same kind, or share the cache."
        )
        raise DataError(message)
    return table.path


def _network_images(dataset: Dataset, form: dict[str, Any], settings: Settings) -> str:
    """Return the address of the network images of all objects.

    Raises:
        DataError: an image of an object cannot be read.

    """
    from ...features.network_images.form import ImageForm
    from ...features.network_images.store import stored_network_images

    if dataset.images is None:
        message = f"has no images of '{dataset.name}'. Copy them there."
        raise DataError(message)
    settings.progress.log(f"preparing {len(dataset.images):,} images")
    source = source_of_dataset(dataset)
    prepared = stored_network_images(dataset.images, ImageForm(**form), source, jobs=settings.jobs)
    unread = sorted(set(prepared.faults["object_id"]) & set(dataset.objects["object_id"]))
    if unread:
        message = (
            f"cannot read images of '{dataset.name}' that the machine that planned the runs can: {listed(unread)}. "
            "Copy them again."
        )
        raise DataError(message)
    return prepared.address
