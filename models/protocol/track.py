"""The track protocol: what a method must offer, and what it is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...data_manifests.errors import TrackError, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from ...features.network_images.form import ImageForm
    from .objects import Objects


class Track(ABC):
    """A method. Subclass it, name it, and write `fit` and `predict`; constructor arguments become its options.

    Attributes:
        name: lower-case words joined by hyphens.
        inputs: what it wants: `{"native"}`, `{"images"}` or both.
        source: paper, program or people it comes from.
        chosen: what fit chose by itself (on validation rows), stored in the run's card.
        device: where fit ran, stored in the run's card.
        scratch: folder of this run alone, for checkpoints; what a killed run left there is found by the next attempt,
            and all of it is gone once the run is stored. None outside of a run.
        log: says a line while fit goes on, such as the score after an epoch.
        base_runs: finished runs by name, those of `base_models`.

    Example:
        >>> class Largest(Track):
        ...     name = "largest"
        ...     inputs = {"native"}
        ...     def fit(self, train, valid, *, rng):
        ...         self.most = np.bincount(train.y).argmax()
        ...     def predict(self, objects):
        ...         scores = np.zeros((len(objects), len(objects.classes)))
        ...         scores[:, self.most] = 1
        ...         return scores

    """

    name: ClassVar[str]
    inputs: ClassVar[set[str] | frozenset[str]]
    source: ClassVar[str] = "not stated"
    chosen: Mapping[str, Any] | None = None
    device: str = "cpu"
    scratch: Path | None = None
    log: Callable[[str], object] = staticmethod(lambda _: None)
    base_runs: Mapping[str, BaseRun] = MappingProxyType({})

    @property
    def image_form(self) -> ImageForm | None:
        """The form in which it wants images prepared, by its options; None when it wants none."""
        return None

    @property
    def base_models(self) -> tuple[str, ...]:
        """The names of tracks whose runs on the same objects it is built on and judged beside; they are done before."""
        return ()

    @abstractmethod
    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Learn from training rows; stop early and choose by validation rows. All randomness comes from `rng`."""

    @abstractmethod
    def predict(self, objects: Objects) -> NDArray[np.floating]:
        """Return scores of shape (n_objects, n_classes), rows that sum to one, columns in the order of `classes`."""

    def warm_up(self) -> None:  # noqa: B027 - most tracks have nothing to warm up
        """Import libraries and compile, before the clock of fit starts."""

    def embeddings(self, objects: Objects) -> NDArray[np.float32] | None:  # noqa: ARG002 - for those that have them
        """Return what a network makes of each object before its last layer; None when the track has no such thing.

        Args:
            objects: any, without labels.

        Returns:
            float32 of shape (n_objects, n_dimensions).

        """
        return None

    def preparation(self) -> pd.DataFrame | None:
        """Return what was done to the native columns (`describe_preparation`), for the report; None for nothing."""
        return None

    def importance(self, valid: Objects, *, rng: np.random.Generator) -> pd.DataFrame | None:  # noqa: ARG002 - for those that tell
        """Return how much each native feature mattered, for the report; None when the track does not tell.

        Args:
            valid: validation rows with labels.
            rng: draws permutations.

        Returns:
            Columns feature, gain (share of the total, 0 to 1) and permutation (loss of macro F1 on validation rows
            when the feature's values change places).

        """
        return None


LEAST = 1e-7  # probability whose logarithm is taken for 0; about the last bit of a stored one


@dataclass(frozen=True)
class BaseRun:
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
