"""Kept model of a run, opened for other objects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import DataError, TrackError, listed
from ..protocol.objects import Objects
from ..registry import get_track
from .model_facts import MODEL, ModelFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from ...data_manifests.images.store import ImageStore
    from ...features.network_images.form import ImageForm, Source
    from ...features.network_images.store import NetworkImages
    from ..protocol.objects import ImageReader
    from ..protocol.track import Track


@dataclass(frozen=True)
class GreyImages:
    """Reader of images in memory: grey levels, uint8 of shape (height, width), by object_id."""

    images: Mapping[str, NDArray[np.uint8]]

    def read(self, object_id: str) -> NDArray[np.uint8]:
        """Return the image of an object as grey levels, uint8 of shape (height, width)."""
        return self.images[object_id]


@dataclass(frozen=True)
class KeptModel:
    """A fitted track, and how its objects are prepared.

    Attributes:
        track: the fitted track.
        facts: the facts stored with it.

    """

    track: Track
    facts: ModelFacts

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the score columns."""
        return self.facts.classes

    @property
    def image_form(self) -> ImageForm | None:
        """Form of the network images that the track needs; None if it needs none."""
        from ...features.network_images.form import ImageForm

        return None if self.facts.image_form is None else ImageForm(**self.facts.image_form)

    @property
    def image_source(self) -> Source:
        """How the images of the run were taken, which other images are assumed to share."""
        from ...features.network_images.form import Source

        return Source(**(self.facts.image_source or {}))

    def objects(
        self,
        images: Path | str | ImageStore | None = None,
        native: pd.DataFrame | None = None,
        *,
        jobs: int = 1,
        advance: Callable[[int], object] = lambda _: None,
        log: Callable[[str], object] = lambda _: None,
    ) -> Objects:
        """Return new objects as the track needs them, sorted by id, without labels.

        Network images are prepared in the cache, where the next call finds them. Images that cannot be read are left
        out; `network_images.faults` of the result has the reasons.

        Args:
            images: a folder, zip file or tar file of images, or an opened one, which keeps its ids.
            native: feature table with the columns of the run, indexed by object_id; other columns are ignored.
            jobs: number of processes that prepare images; it does not affect the result.
            advance: called with the number of further images prepared.
            log: called with a message about the disk space needed.

        Raises:
            DataError: an input of the track is missing, or no image can be read.

        """
        if "images" not in self.track.inputs:
            return self._objects(self._table(native).index, native)
        if images is None:
            message = f"The model of '{self.facts.name}' needs images; expected a folder, zip or tar file of images."
            raise DataError(message)
        from ...features.preparation.sources import open_sources

        store = open_sources(images).images
        if self.image_form is None:
            return self._objects(store.members, native, store)
        from ...features.network_images.store import stored_network_images

        prepared = stored_network_images(store, self.image_form, self.image_source, jobs=jobs, advance=advance, log=log)
        return self._objects(prepared.object_ids, native, store, prepared)

    def objects_in_memory(self, images: Mapping[str, NDArray[np.uint8]], native: pd.DataFrame | None = None) -> Objects:
        """Return a few new objects as the track needs them, without using the cache.

        Args:
            images: grey levels as read, uint8 of shape (height, width), by object_id.
            native: as in `objects`.

        Raises:
            DataError: an input of the track is missing.

        """
        if self.image_form is None:
            return self._objects(images, native, GreyImages(images))
        from ...features.network_images.in_memory import network_images_in_memory

        prepared = network_images_in_memory(images, self.image_form, self.image_source)
        return self._objects(images, native, GreyImages(images), prepared)

    def _objects(
        self,
        object_ids: Iterable[str],
        native: pd.DataFrame | None,
        images: ImageReader | None = None,
        network_images: NetworkImages | None = None,
    ) -> Objects:
        ids = np.array(sorted(object_ids), dtype=object)
        table = self._table(native, ids) if "native" in self.track.inputs else None
        return Objects(ids, self.classes, table, images, network_images)

    def _table(self, native: pd.DataFrame | None, ids: NDArray[np.object_] | None = None) -> pd.DataFrame:
        """Return the rows of some objects, or all of them, with the columns of the run, as float64.

        Raises:
            DataError: there is no table, or a column or row is missing.

        """
        name, columns = self.facts.name, list(self.facts.columns)
        if native is None:
            message = (
                f"The model of '{name}' needs a feature table; expected one with the columns {listed(columns, 5)}."
            )
            raise DataError(message)
        absent = [column for column in columns if column not in native]
        unknown = [] if ids is None else [one for one in ids if one not in native.index]
        if absent or unknown:
            what = f"columns {listed(absent)}" if absent else f"rows of objects {listed(unknown)}"
            message = f"The feature table for the model of '{name}' lacks {what}; expected those of its run. Add them."
            raise DataError(message)
        return (native if ids is None else native.loc[list(ids)])[columns].astype(np.float64)


def load_model(run: Path | str, track: type[Track] | None = None) -> KeptModel:
    """Open the kept model of a run, for other objects.

    Args:
        run: folder of a run that was made with `--keep-models`, such as
            `results/flowcam/runs/flowcam/cnn-lenet/holdout.v1/seed-0`.
        track: class of its track, needed if that was defined in a notebook or in a file that has moved.

    Raises:
        DataError: the run has no kept model.
        TrackError: the class of the track is not found, or cannot read the model.

    """
    folder = Path(run).expanduser() / MODEL
    facts = ModelFacts.read(folder)
    model = KeptModel((track or _class_of(facts))(**facts.options), facts)
    model.track.load(folder)
    return model


def _class_of(facts: ModelFacts) -> type[Track]:
    advice = "Pass it: load_model(run, track=MyTrack)."
    if not facts.reference:
        message = f"The class of track '{facts.name}' was not defined in a file; expected the class itself. {advice}"
        raise TrackError(message)
    try:
        return get_track(facts.reference)
    except TrackError as fault:
        message = f"{fault} The class of track '{facts.name}' is expected there. {advice}"
        raise TrackError(message) from fault
