"""Objects that a track is trained on or predicts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from ...data_manifests.errors import TrackError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ...features.network_images.store import NetworkImages


class ImageReader(Protocol):
    """Reader of the original images of objects, which reveals nothing but their pixels and sizes."""

    def read(self, object_id: str) -> NDArray[np.uint8]:
        """Return the image of an object as grey levels, uint8 of shape (height, width).

        Raises:
            DataError: the object has no readable image.

        """


@dataclass(frozen=True)
class Objects:
    """Objects that a track is trained on or predicts.

    Attributes:
        object_ids: opaque ids, text array of shape (n_objects,), sorted; they are hashes, so that neither the ids nor
            the order of the rows reveal anything about the objects.
        classes: class names in the order of the score columns.
        native: float64 table of shape (n_objects, n_features) indexed by object_id, NaN where missing; None unless the
            track requests `native` in `inputs`.
        images: reader of the original images by object_id; None unless the track requests `images`.
        network_images: network images in the form given by the track's `image_form`, by object_id; None if it has none.
        groups: opaque name of the sample of each object, object array of text of shape (n_objects,); None if unknown.
        codes: int64 array of shape (n_objects,), index of each label in `classes`; None for objects to predict, and
            for all objects if the task of the track uses no labels.

    """

    object_ids: NDArray[np.object_]
    classes: tuple[str, ...]
    native: pd.DataFrame | None = None
    images: ImageReader | None = None
    network_images: NetworkImages | None = None
    groups: NDArray[np.object_] | None = None
    codes: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.object_ids)

    @property
    def y(self) -> NDArray[np.int64]:
        """Labels as integer indices into `classes`, int64 of shape (n_objects,).

        Raises:
            TrackError: these are objects to predict, whose labels are available to the evaluator only, or objects of a
                track whose task uses no labels.

        """
        if self.codes is None:
            message = (
                "These objects have no labels: a track receives labels only in fit, and only if its task uses labels."
            )
            raise TrackError(message)
        return self.codes

    @property
    def table(self) -> pd.DataFrame:
        """The native table.

        Raises:
            TrackError: the track does not request it in `inputs`, or the data set has none.

        """
        if self.native is None:
            message = "No native table was passed to the track; to request one, set inputs = {'native'}."
            raise TrackError(message)
        return self.native

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Objects:
        """Return a subset of the objects.

        Args:
            rows: positions in increasing order, or a boolean mask, of shape (n_chosen,) or (n_objects,).

        """
        return replace(
            self,
            object_ids=self.object_ids[rows],
            native=None if self.native is None else self.native.iloc[rows],
            groups=None if self.groups is None else self.groups[rows],
            codes=None if self.codes is None else self.codes[rows],
        )

    def without_labels(self) -> Objects:
        """Return the same objects without labels, as a track receives them in `predict`."""
        return replace(self, codes=None)
