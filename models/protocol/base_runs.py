"""Parts of a fusion: finished runs of other tracks on the same objects, with what they said and saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data_manifests.errors import TrackError, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from .track import Objects, Track

LEAST = 1e-7  # probability whose logarithm is taken for 0; about the last bit of a stored one


@dataclass(frozen=True)
class Part:
    """A finished run that a fusion is built on.

    Attributes:
        name: name of the run's track.
        track: its class.
        options: its options.
        scores: probabilities of validation and test rows, float32 of shape (n_objects, n_classes), by object_id, in the
            order of the classes.
        embeddings: what its network makes of every row, float32 of shape (n_objects, n_dimensions), by object_id; None
            when the track has none. Those of training rows are of a network that was trained on them.

    """

    name: str
    track: type[Track]
    options: Mapping[str, Any]
    scores: pd.DataFrame
    embeddings: pd.DataFrame | None = None

    def log_probabilities(self, objects: Objects) -> NDArray[np.float64]:
        """Return the logarithms of what the run said of validation or test rows, shape (n_objects, n_classes).

        Raises:
            TrackError: it said nothing of one of them, such as a training row.

        """
        return logarithms(self._rows(self.scores, objects, "predictions"))

    def embedded(self, objects: Objects) -> NDArray[np.float32]:
        """Return what the run's network makes of objects, float32 of shape (n_objects, n_dimensions).

        Raises:
            TrackError: the track has no embeddings, or none of one of them.

        """
        if self.embeddings is None:
            message = f"Track '{self.name}' has no embeddings; expected an image track, such as cnn-lenet."
            raise TrackError(message)
        return self._rows(self.embeddings, objects, "embeddings").astype(np.float32)

    def _rows(self, table: pd.DataFrame, objects: Objects, what: str) -> NDArray[np.floating]:
        import pandas as pd

        places = table.index.get_indexer(pd.Index(objects.object_ids))
        if (places < 0).any():
            message = f"The run of '{self.name}' has no {what} of objects {listed(objects.object_ids[places < 0])}."
            raise TrackError(message)
        return np.asarray(table.to_numpy()[places])


def logarithms(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return natural logarithms of probabilities, of those below `LEAST` its own."""
    return np.log(np.maximum(scores.astype(np.float64), LEAST))
