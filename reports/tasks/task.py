"""Task: what is asked of a track, what it may see, and how its output is checked, stored and judged."""

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


class Asked(Protocol):
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

    def __len__(self) -> int:
        """Return the number of objects."""


class Prediction(NamedTuple):
    """Objects with the checked output of a track for them, of shape (n_objects, …)."""

    asked: Asked
    output: Values


@dataclass(frozen=True)
class Measure:
    """Value of a measure of a task, with its 95 % interval."""

    value: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Evaluation:
    """Judgement of a run by the measures of its task.

    Attributes:
        measures: by name, in the order of `Task.measures`.
        facts: numbers without interval, by name, such as the number of clusters.
        signature: all settings that can change the numbers.

    """

    measures: Mapping[str, Measure]
    signature: str
    facts: Mapping[str, float] = field(default_factory=dict)

    def row(self) -> dict[str, float | str]:
        """Return facts, measures (`<name>`, `<name>_lo`, `<name>_hi`) and signature by column."""
        row: dict[str, float | str] = dict(self.facts)
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
        output: the output of `Track.predict`, for messages.
        title: heading of the measures in the report.
        description: one or two sentences on the measures.
        measures: title of each measure of its own, by name.
        facts: title of each number without interval, by name.

    """

    name: ClassVar[str]
    labels: ClassVar[Literal["all", "none"]]
    output: ClassVar[str]
    title: ClassVar[str] = ""
    description: ClassVar[str] = ""
    measures: ClassVar[Mapping[str, str]] = MappingProxyType({})
    facts: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @abstractmethod
    def checked(self, output: object, asked: Asked, track: str) -> Values:
        """Check the output of `Track.predict`, and return it in the form in which it is stored.

        Args:
            output: what the track returned.
            asked: the objects.
            track: name of the track, for messages.

        Raises:
            TrackError: the output is not what the task asks for; the message shows the actual and the expected one.

        """

    @abstractmethod
    def differs(self, one: Values, other: Values) -> NDArray[np.bool_]:
        """Return which objects differ between two checked outputs by more than rounding, of shape (n_objects,)."""

    @abstractmethod
    def in_words(self, value: Values) -> str:
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

    def evaluate(self, run: StoredRun) -> Evaluation | None:  # noqa: ARG002 - for tasks with measures of their own
        """Judge a finished run by the measures of the task, from its stored tables alone; None if it has none."""
        return None
