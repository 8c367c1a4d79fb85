"""Track protocol: the interface of a method, and what a run provides to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...data_manifests.errors import TrackError, did_you_mean, listed
from ...data_manifests.seeds import RunSeeds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from ...features.network_images.form import ImageForm
    from .objects import Objects
    from .trials import Trial


SMALLEST_PROBABILITY = 1e-7  # lower bound before taking logarithms; about the last bit of a stored probability


@dataclass(frozen=True)
class BaseRun:
    """Finished run on which another one is built: that of a base model, or the one that is continued.

    Attributes:
        name: name of the run's track.
        track: class of the track.
        options: options of the track.
        scores: probabilities for validation and test rows, float32 of shape (n_objects, n_classes), indexed by
            object_id, columns in the order of the classes; None if the output of the track is none (a clustering).
        embeddings: embeddings of all rows, float32 of shape (n_objects, n_dimensions), indexed by object_id; None if
            the track has none. Embeddings of training rows come from a network that was trained on these rows.
        model_folder: folder with a copy of its kept model, for `load`; None unless the run is continued.

    """

    name: str
    track: type[Track]
    options: Mapping[str, Any]
    scores: pd.DataFrame | None
    embeddings: pd.DataFrame | None = None
    model_folder: Path | None = None

    def restored(self) -> Track:
        """Return the fitted track of the run that is continued.

        Raises:
            TrackError: the run is not continued, so that its model is not at hand.

        """
        if self.model_folder is None:
            message = f"The model of '{self.name}' is not at hand; name this track in continues, not in base_models."
            raise TrackError(message)
        track = self.track(**self.options)
        track.load(self.model_folder)
        return track

    def log_probabilities(self, objects: Objects) -> NDArray[np.float64]:
        """Return the log-probabilities of validation or test rows, float64 of shape (n_objects, n_classes).

        Raises:
            TrackError: the track has no scores, or none for one of the objects, such as a training row.

        """
        return clipped_log(self._rows(self._known_scores, objects, "predictions"))

    @property
    def has_scores(self) -> bool:
        """Whether the output of the track is a score of each class."""
        return self.scores is not None

    @property
    def _known_scores(self) -> pd.DataFrame:
        if self.scores is None:
            message = f"Track '{self.name}' has no scores of classes; expected another base model."
            raise TrackError(message)
        return self.scores

    def embeddings_of(self, objects: Objects) -> NDArray[np.float32]:
        """Return the embeddings of objects, float32 of shape (n_objects, n_dimensions).

        Raises:
            TrackError: the track has no embeddings, or none for one of the objects.

        """
        if self.embeddings is None:
            message = f"Track '{self.name}' has no embeddings; expected an image track, such as cnn-lenet."
            raise TrackError(message)
        return self._rows(self.embeddings, objects, "embeddings").astype(np.float32)

    def _rows(self, table: pd.DataFrame, objects: Objects, what: str) -> NDArray[np.floating]:
        import pandas as pd

        places = table.index.get_indexer(pd.Index(objects.object_ids))
        if (places < 0).any():
            missing = listed(objects.object_ids[places < 0])
            message = f"The run of '{self.name}' has no {what} for objects {missing}; expected {what} for all objects."
            raise TrackError(message)
        return np.asarray(table.to_numpy()[places])


def clipped_log(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return natural logarithms of probabilities, clipped to `SMALLEST_PROBABILITY` from below."""
    return np.log(np.maximum(scores.astype(np.float64), SMALLEST_PROBABILITY))


def _no_log(_line: str) -> None:
    """Log nothing, outside a run."""


@dataclass(frozen=True)
class TrackContext:
    """What a run provides to its track besides objects; the defaults apply outside a run.

    Attributes:
        scratch: folder for checkpoints. Files left by a killed run are available to the next attempt; the folder is
            deleted once the run is stored. None outside a run.
        log: function that logs a line during fit, such as the score after an epoch.
        base_runs: finished runs of the track's `base_models` and of the track that it `continues`, by name.
        seeds: seeds of the run, for generators besides the `rng` of fit.

    """

    scratch: Path | None = None
    log: Callable[[str], object] = _no_log
    base_runs: Mapping[str, BaseRun] = field(default_factory=dict)
    seeds: RunSeeds = field(default_factory=RunSeeds)

    def base_run(self, name: str) -> BaseRun:
        """Return the finished run of a base model, or of the track that is continued.

        Raises:
            TrackError: the track names it neither in `base_models` nor in `continues`.

        """
        if name not in self.base_runs:
            message = (
                f"There is no base run of '{name}'; name it in base_models or continues. "
                f"{did_you_mean(name, self.base_runs)}"
            )
            raise TrackError(message)
        return self.base_runs[name]

    def nested(self, label: str) -> TrackContext:
        """Return the context of a track inside this one: own folder, own seeds, and lines that begin with a label.

        Args:
            label: short name of the inner track, unique among those of this track.

        """
        scratch = None if self.scratch is None else self.scratch / label.replace(" ", "-")
        if scratch is not None:
            scratch.mkdir(exist_ok=True)
        return replace(
            self, scratch=scratch, log=lambda line: self.log(f"{label}: {line}"), seeds=self.seeds.within(label)
        )


class Track(ABC):
    """Base class of all methods. Set `name` and `inputs`, and implement `fit` and `predict`.

    The arguments of the constructor are the options of the track; each needs a default.

    Attributes:
        name: lower-case words joined by hyphens.
        task: name of its task, which determines the labels that fit receives and what predict returns.
        inputs: requested inputs: `{"native"}`, `{"images"}` or both.
        source: paper, program or authors of the method.
        can_be_kept: whether a fitted track can be stored and restored, by `save` and `load`.
        chosen: choices made by fit (on validation rows); stored in the run's card.
        trials: everything that fit trained and compared, set by fit; stored in the run's card and shown in the report.
        device: where fit ran; stored in the run's card.
        context: scratch folder, log, base runs and seeds of its run, set before `warm_up`.

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
    task: ClassVar[str] = "classification"
    inputs: ClassVar[set[str] | frozenset[str]]
    source: ClassVar[str] = "not stated"
    can_be_kept: ClassVar[bool] = False
    chosen: Mapping[str, Any] | None = None
    trials: Sequence[Trial] = ()
    device: str = "cpu"
    context: TrackContext = TrackContext()

    @property
    def image_form(self) -> ImageForm | None:
        """Form of the network images that the track requests, given its options; None if it requests none."""
        return None

    @property
    def base_models(self) -> tuple[str, ...]:
        """Names of the tracks that a fusion is built on and compared with; they run first, on the same objects."""
        return ()

    @property
    def continues(self) -> str | None:
        """Name of the track whose fitted model this one starts from; it runs first, on the same objects and seed."""
        return None

    @abstractmethod
    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Train on training rows, with early stopping and model selection on validation rows. Draw only from `rng`."""

    @abstractmethod
    def predict(self, objects: Objects) -> NDArray[Any]:
        """Return the output that the task asks for.

        Returns:
            Classification: scores, float of shape (n_objects, n_classes); rows sum to one, columns follow the order of
            `classes`. Clustering: the cluster of each object, integers from 0 of shape (n_objects,).

        """

    def warm_up(self) -> None:  # noqa: B027 - most tracks have nothing to warm up
        """Import libraries and compile before fit is timed."""

    def embeddings(self, objects: Objects) -> NDArray[np.float32] | None:  # noqa: ARG002 - for tracks with embeddings
        """Return the embedding of each object (penultimate activations); None if the track has no embeddings.

        Args:
            objects: any objects, without labels.

        Returns:
            float32 of shape (n_objects, n_dimensions).

        """
        return None

    def subclasses(self, train: Objects) -> NDArray[np.int64] | None:  # noqa: ARG002 - for tracks that divide classes
        """Return the sub-class of each training object, for the report; None if the track does not divide classes.

        Args:
            train: training rows with labels.

        Returns:
            int64 of shape (n_objects,), numbered from 0 within each class.

        """
        return None

    def preparation(self) -> pd.DataFrame | None:
        """Return the preparation of native columns (`describe_preparation`), for the report; None if there is none."""
        return None

    def importance(self, valid: Objects, *, rng: np.random.Generator) -> pd.DataFrame | None:  # noqa: ARG002 - for tracks that measure it
        """Return the importance of each native feature, for the report; None if the track does not measure it.

        Args:
            valid: validation rows with labels.
            rng: draws permutations.

        Returns:
            Columns feature, gain (share of the total, 0 to 1) and permutation (drop in macro F1 on validation rows when
            the values of the feature are permuted).

        """
        return None

    def save(self, folder: Path) -> None:
        """Write everything that `predict` and `embeddings` need after `load`; never a pickle.

        Args:
            folder: an empty folder.

        Raises:
            TrackError: the track cannot be kept.

        """
        raise self._not_kept(folder)

    def load(self, folder: Path) -> None:
        """Restore what `save` wrote, in a track that was constructed with the same options.

        Args:
            folder: the folder; it is not changed, and may be gone afterwards.

        Raises:
            TrackError: the track cannot be kept.

        """
        raise self._not_kept(folder)

    def _not_kept(self, folder: Path) -> TrackError:
        return TrackError(
            f"Track '{self.name}' cannot be kept in {folder}; expected a track with save and load. Implement both, and "
            "set can_be_kept to True."
        )
