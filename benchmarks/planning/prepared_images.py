"""Network images of a data set, prepared before its runs if a track needs them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...data_manifests.notes import note
from ...data_manifests.seeds import sha256_text
from ...reports.pictures.network_inputs import keep_network_inputs
from ..console.progress import counting

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import pandas as pd

    from ...data_manifests.dataset import Dataset
    from ...data_manifests.files.processes import RunTasks
    from ...features.network_images.form import ImageForm, Source
    from ...features.network_images.store import StoredNetworkImages
    from ..execution.settings import Settings

UNREAD = "objects have no readable image: excluded for all tracks"


def with_network_images(
    dataset: Dataset, forms: Collection[ImageForm], settings: Settings, run_tasks: RunTasks | None = None
) -> tuple[Dataset, dict[ImageForm, StoredNetworkImages]]:
    """Prepare the images of a data set in the forms that tracks request.

    Args:
        dataset: an opened data set.
        forms: the forms.
        settings: settings of the run; `jobs` is the number of processes.
        run_tasks: prepares chunks of images elsewhere; None prepares in processes of this machine.

    Returns:
        The data set without the objects whose image cannot be read, so that all tracks see the same objects; and the
        network images by form, empty if the data set has no images.

    Raises:
        DataError: the cache cannot be written or does not have enough space.

    """
    if not forms or dataset.images is None:
        return dataset, {}
    from ...features.network_images.store import stored_network_images

    images, source, network_images = dataset.images, source_of_dataset(dataset), {}
    for form in sorted(forms, key=repr):
        label = f"preparing images, {form.side} × {form.side} px"
        with counting(label, len(images), "images") as advance:
            network_images[form] = stored_network_images(
                images,
                form,
                source,
                jobs=settings.jobs,
                run_tasks=run_tasks,
                advance=advance,
                log=lambda line: settings.progress.log(f"{dataset.name}: {line}"),
            )
    return _without_unread(dataset, next(iter(network_images.values())).faults, settings), network_images


def show_network_inputs(out: Path, dataset: Dataset, forms: Collection[ImageForm]) -> None:
    """Store examples of network images for the report.

    Args:
        out: the results folder.
        dataset: the opened data set.
        forms: forms of network images that tracks request; without any, nothing is stored.

    """
    if not forms:
        return
    from ...features.network_images.form import channels_of

    source, ordered = source_of_dataset(dataset), sorted(forms, key=repr)
    state = sha256_text(dataset.data_sha256, repr(source), *map(repr, ordered))
    keep_network_inputs(
        out, dataset, {one.description: partial(channels_of, form=one, source=source) for one in ordered}, state
    )


def source_of_dataset(dataset: Dataset) -> Source:
    """Return how the images of a data set were taken, from its manifest."""
    from ...features.network_images.form import Source

    manifest = dataset.manifest
    return Source(manifest.background, manifest.scale_bar, manifest.pixel_size_um)


def _without_unread(dataset: Dataset, faults: pd.DataFrame, settings: Settings) -> Dataset:
    """Return the data set without objects whose image is missing or cannot be read."""
    reasons = dict(zip(faults["object_id"], faults["fault"], strict=True))
    members = {} if dataset.images is None else dataset.images.members
    unread = [one for one in dataset.objects["object_id"] if one in reasons or one not in members]
    if not unread:
        return dataset
    notes = note("no-image", UNREAD, [f"{object_id} ({reasons.get(object_id, 'no image')})" for object_id in unread])
    for entry in notes:
        settings.progress.log(f"  note: {entry}")
    return dataset.without(unread, notes)
