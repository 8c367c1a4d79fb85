"""The track protocol: what a method must offer, and what it is given."""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...data_manifests.errors import TrackError, did_you_mean, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from ...data_manifests.images.store import ImageStore
    from ...features.network_images.form import StackForm
    from ...features.network_images.store import Stacks
    from .base_runs import Part

NAME = r"[a-z0-9][a-z0-9._-]*"
INPUTS = frozenset({"native", "images"})
SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Objects:
    """The objects that a track learns from or predicts.

    Attributes:
        object_ids: text array of shape (n_objects,), sorted.
        classes: the classes in the order of the columns of the scores.
        native: float64 table of shape (n_objects, n_features) by object_id, NaN where missing; None unless the track
            asked for `native`.
        images: read by object_id; None unless the track asked for `images`.
        stacks: images prepared in the form that the track asked for, by object_id; None unless it asked.
        groups: sample of each object, object array of shape (n_objects,), None where it is not known.
        codes: int64 array of shape (n_objects,), position of each label in `classes`; None for objects to predict.

    """

    object_ids: NDArray[np.object_]
    classes: tuple[str, ...]
    native: pd.DataFrame | None = None
    images: ImageStore | None = None
    stacks: Stacks | None = None
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
        tell: says a line while fit goes on, such as the score after an epoch.
        given: finished runs by name, those that `parts` asked for.

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
    tell: Callable[[str], object] = staticmethod(lambda _: None)
    given: Mapping[str, Part] = MappingProxyType({})

    @property
    def stack_form(self) -> StackForm | None:
        """The form in which it wants images prepared, by its options; None when it wants none."""
        return None

    @property
    def parts(self) -> tuple[str, ...]:
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


def options_of(track: type[Track]) -> dict[str, Any]:
    """Return the options of a track with their defaults: the keyword arguments of its constructor."""
    parameters = inspect.signature(track).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters}


def check_options(track: type[Track], options: Mapping[str, Any]) -> None:
    """Refuse an option that a track does not have.

    Raises:
        TrackError: with near matches.

    """
    known = options_of(track)
    unknown = [name for name in options if name not in known]
    if unknown:
        message = f"Track '{track.name}' has no option {listed(unknown)}. {did_you_mean(unknown[0], known)}"
        raise TrackError(message)


def check_choice(option: str, value: object, choices: Collection[str]) -> None:
    """Refuse a value of an option that is none of its choices.

    Raises:
        TrackError: with near matches.

    """
    if value not in choices:
        message = f"Option {option} is {value!r}. {did_you_mean(str(value), choices)}"
        raise TrackError(message)


def check_track(track: object, where: str) -> type[Track]:
    """Check a class against the protocol, before anything runs.

    Args:
        track: the class.
        where: how the user named it, for the message.

    Raises:
        TrackError: it is no Track, lacks a name, asks for inputs that do not exist, or its `fit` or `predict` take
            other arguments; the message shows what was found beside what was expected.

    """
    if not (isinstance(track, type) and issubclass(track, Track)):
        message = f"{where} is {type(track).__name__} {track!r}; expected a subclass of planktonbench.Track."
        raise TrackError(message)
    name = getattr(track, "name", None)
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        message = f"{where}: name is {name!r}; expected lower-case words joined by hyphens, such as 'my-method'."
        raise TrackError(message)
    inputs = getattr(track, "inputs", None)
    if not isinstance(inputs, (set, frozenset)) or not inputs or inputs - INPUTS:
        message = f"{where}: inputs is {inputs!r}; expected {{'native'}}, {{'images'}} or both."
        raise TrackError(message)
    for method, expected in (("fit", Track.fit), ("predict", Track.predict)):
        _check_signature(track, method, inspect.signature(expected), where)
    _check_constructor(track, where)
    return track


def _check_signature(track: type[Track], method: str, expected: inspect.Signature, where: str) -> None:
    found = inspect.signature(getattr(track, method))
    wanted = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in expected.parameters.values()]
    shown = inspect.Signature(wanted)
    positional = [object() for parameter in wanted if parameter.kind is not inspect.Parameter.KEYWORD_ONLY]
    keywords = {p.name: None for p in wanted if p.kind is inspect.Parameter.KEYWORD_ONLY}
    abstract = getattr(getattr(track, method), "__isabstractmethod__", False)
    try:
        found.bind(*positional, **keywords)
    except TypeError as fault:
        message = f"{where}: {method}{found} does not fit; expected {method}{shown}. ({fault})"
        raise TrackError(message) from fault
    if abstract:
        message = f"{where} has no method {method}; expected {method}{shown}."
        raise TrackError(message)


def _check_constructor(track: type[Track], where: str) -> None:
    for parameter in inspect.signature(track).parameters.values():
        variadic = parameter.kind in {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
        if variadic or parameter.default is inspect.Parameter.empty:
            message = (
                f"{where}: constructor argument '{parameter}' has no default. "
                "A track is made from its options alone; give each a default."
            )
            raise TrackError(message)


def checked_scores(scores: object, objects: Objects, name: str) -> NDArray[np.float32]:
    """Check what a track's predict returned, and return it as float32.

    Raises:
        TrackError: it is no array of shape (n_objects, n_classes), holds values that are no probabilities, or its
            rows do not sum to one.

    """
    array = np.asarray(scores)
    expected = (len(objects), len(objects.classes))
    if array.shape != expected or not np.issubdtype(array.dtype, np.number):
        message = f"{name}.predict returned shape {array.shape} of {array.dtype}; expected {expected} of float."
        raise TrackError(message)
    if not np.isfinite(array).all():
        rows = objects.object_ids[~np.isfinite(array).all(axis=1)]
        message = f"{name}.predict returned values that are not finite for objects {listed(rows)}."
        raise TrackError(message)
    sums = array.sum(axis=1)
    wrong = (np.abs(sums - 1) > SUM_TOLERANCE) | (array < 0).any(axis=1)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        message = (
            f"{name}.predict: {int(wrong.sum()):,} of {len(objects):,} rows are no probabilities "
            f"(object {objects.object_ids[first]}: sum {sums[first]:.4g}, smallest {array[first].min():.4g}); "
            "expected values from 0 to 1 that sum to one."
        )
        raise TrackError(message)
    return array.astype(np.float32)
