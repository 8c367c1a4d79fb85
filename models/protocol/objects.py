"""Objects that a track learns from or predicts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...data_manifests.errors import TrackError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ...data_manifests.images.store import ImageStore
    from ...features.network_images.store import NetworkImages


@dataclass(frozen=True)
class Objects:
    """The objects that a track learns from or predicts.

    Attributes:
        object_ids: text array of shape (n_objects,), sorted.
        classes: the classes in the order of the columns of the scores.
        native: float64 table of shape (n_objects, n_features) by object_id, NaN where missing; None unless the track
            asked for `native`.
        images: read by object_id; None unless the track asked for `images`.
        network_images: images prepared in the form that the track asked for, by object_id; None unless it asked.
        groups: sample of each object, object array of shape (n_objects,), None where it is not known.
        codes: int64 array of shape (n_objects,), position of each label in `classes`; None for objects to predict.

    """

    object_ids: NDArray[np.object_]
    classes: tuple[str, ...]
    native: pd.DataFrame | None = None
    images: ImageStore | None = None
    network_images: NetworkImages | None = None
    groups: NDArray[np.object_] | None = None
    codes: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Count the objects."""
        return len(self.object_ids)

    @property
    def y(self) -> NDArray[np.int64]:
        """Labels as integer codes into `classes`, int64 of shape (n_objects,).

        Raises:
            TrackError: these are objects to predict; their labels are for the evaluator alone.

        """
        if self.codes is None:
            message = "The labels of objects to predict are not shown to a track; use .y in fit only."
            raise TrackError(message)
        return self.codes

    @property
    def table(self) -> pd.DataFrame:
        """The native table.

        Raises:
            TrackError: the track did not ask for it in `inputs`, or the data set has none.

        """
        if self.native is None:
            message = "There is no native table here; a track that wants one says inputs = {'native'}."
            raise TrackError(message)
        return self.native

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Objects:
        """Return some of the objects.

        Args:
            rows: positions in increasing order, or a mask, of shape (n_chosen,) or (n_objects,).

        """
        return replace(
            self,
            object_ids=self.object_ids[rows],
            native=None if self.native is None else self.native.iloc[rows],
            groups=None if self.groups is None else self.groups[rows],
            codes=None if self.codes is None else self.codes[rows],
        )

    def without_labels(self) -> Objects:
        """Return the same objects as a track sees them in predict."""
        return replace(self, codes=None)
