"""Task: what is asked of a track, what it may see, and how its output is checked, stored and evaluated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ..results.stored_run import StoredRun

    Values = NDArray[Any]


class TaskObjects(Protocol):
    """Objects that a track is asked about, such as `models.protocol.objects.Objects`."""

    @property
    def object_ids(self) -> NDArray[np.object_]:
        """Text array of shape (n_objects,)."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, sorted."""

    @property
    def codes(self) -> NDArray[np.int64] | None:
        """Class of each object as a position in `classes`, int64 of shape (n_objects,); None for test objects."""

    @property
    def groups(self) -> NDArray[np.object_] | None:
        """Sample of each object, of shape (n_objects,); None if samples are unknown."""

    def __len__(self) -> int:
        """Return the number of objects."""


class Prediction(NamedTuple):
    """Objects with the checked output of a track for them, of shape (n_objects, …)."""

    objects: TaskObjects
    output: Values


@dataclass(frozen=True)
class Measure:
    """Value of a measure of a task, with its 95 % interval."""

    value: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Evaluation:
    """Evaluation of a run by the measures of its task.

    Attributes:
        measures: by name, in the order of `Task.measures`.
        signature: all settings that can change the numbers.
        facts: numbers without interval and text, by name, such as the number of clusters.

    """

    measures: Mapping[str, Measure]
    signature: str
    facts: Mapping[str, float | str] = field(default_factory=dict)

    def row(self) -> dict[str, object]:
        """Return facts, measures (`<name>`, `<name>_lo`, `<name>_hi`) and signature by column."""
        row: dict[str, object] = dict(self.facts)
        for name, measure in self.measures.items():
            low, high = measure.interval
            row |= {name: measure.value, f"{name}_lo": low, f"{name}_hi": high}
        return {**row, "signature": self.signature}


class Task(ABC):
    """Task that tracks are made for.

    Whatever the task, a run ends with a taxon for each object, by which all tracks are ranked on one leaderboard. A
    task may add measures of its own, which are listed in `report/tables/<name>.csv` and on the pages of the report.

    Attributes:
        name: one word; a track names its task by it.
        labels: labels that `Track.fit` receives: of all training and validation objects, or none.
        has_scores: whether the output is a score of each class, from which a fusion can be built.
        output: the output of `Track.predict`, in words.
        title: heading of the measures in the report.
        description: one or two sentences on the measures.
        methods: sentence for the methods text of a report, with `{tracks}`; empty if there is nothing to add.
        measures: title of each measure of its own, by name.
        facts: title of each number without interval or text, by name.

    """

    name: ClassVar[str]
    labels: ClassVar[Literal["all", "none"]]
    has_scores: ClassVar[bool]
    output: ClassVar[str]
    methods: ClassVar[str] = ""
    title: ClassVar[str] = ""
    description: ClassVar[str] = ""
    measures: ClassVar[Mapping[str, str]] = MappingProxyType({})
    facts: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @abstractmethod
    def checked(self, output: object, objects: TaskObjects, track: str) -> Values:
        """Check the output of `Track.predict`, and return it in the form in which it is stored.

        Args:
            output: what the track returned.
            objects: the objects.
            track: name of the track, for messages.

        Raises:
            TrackError: the output is not what the task asks for; the message shows the actual and the expected one.

        """

    @abstractmethod
    def differs(self, one: Values, other: Values) -> NDArray[np.bool_]:
        """Return which objects differ between two checked outputs by more than rounding, of shape (n_objects,)."""

    @abstractmethod
    def as_text(self, value: Values) -> str:
        """Return the output for one object as text."""

    @abstractmethod
    def tables(self, test: Prediction, valid: Prediction) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the tables to be stored for test and validation objects.

        Args:
            test: test objects, without labels.
            valid: validation objects, with labels.

        Returns:
            Tables with the columns object_id, taxon, and those of the task.

        """

    def evaluate(self, run: StoredRun) -> Evaluation:  # noqa: ARG002 - for tasks with measures of their own
        """Evaluate a finished run by the measures of the task, from its stored tables alone."""
        return Evaluation({}, "")
