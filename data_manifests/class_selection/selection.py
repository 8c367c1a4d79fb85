"""Classes of a data set that a suite uses, and those among them that it withholds from training and validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import SuiteError, did_you_mean, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FEWEST_CLASSES = 2
"""Smallest number of classes with training objects; a single class cannot be classified."""

MOST_HINTS = 3
"""Unknown names for which a message suggests near matches."""


@dataclass(frozen=True)
class SelectedClasses:
    """Classes of a data set to which its objects were restricted.

    Attributes:
        names: the classes, sorted.
        of: number of classes before.
        min_objects: number of objects that each class had to have; None if the number did not matter.

    """

    names: tuple[str, ...]
    of: int
    min_objects: int | None = None


@dataclass(frozen=True)
class ClassSelection:
    """Selection of classes, as an entry of a suite states it.

    Attributes:
        classes: the only classes to use; None for all.
        min_objects: number of objects that a class must have to be used; None if the number does not matter.
        withhold: classes that are tested, but not trained on.

    """

    classes: tuple[str, ...] | None = None
    min_objects: int | None = None
    withhold: tuple[str, ...] = ()

    def chosen(self, counts: Mapping[str, int], where: str) -> tuple[str, ...]:
        """Return the classes to use, including withheld ones, sorted by name.

        Args:
            counts: number of objects of each class of the data set.
            where: the data set as text, for messages.

        Raises:
            SuiteError: a name is not a class (near matches are suggested), a withheld class is not used, or fewer than
                two classes remain for training.

        """
        _check_known("classes", self.classes or (), counts, where)
        _check_known("withhold", self.withhold, counts, where)
        fewest = self.min_objects or 0
        chosen = tuple(sorted(name for name in self.classes or counts if counts[name] >= fewest))
        self._check_withheld(chosen, counts, where)
        remaining = [name for name in chosen if name not in self.withhold]
        if len(remaining) < FEWEST_CLASSES:
            message = (
                f"{where}: {listed(remaining) or 'no class'} would be all that remains for training: of "
                f"{len(counts):,} classes, {len(chosen):,} are selected and {len(self.withhold):,} of these withheld. "
                f"Expected at least {FEWEST_CLASSES}; select more classes, or withhold fewer."
            )
            raise SuiteError(message)
        return chosen

    def _check_withheld(self, chosen: Sequence[str], counts: Mapping[str, int], where: str) -> None:
        """Check that the withheld classes are used.

        Raises:
            SuiteError: one is not.

        """
        unused = [name for name in self.withhold if name not in chosen]
        if unused:
            fewest = "" if self.min_objects is None else f" and min_objects {self.min_objects:,}"
            message = (
                f"{where}: withhold names classes that are not selected: "
                f"{listed(f'{name} ({counts[name]:,} objects)' for name in unused)}. Expected some of the "
                f"{len(chosen):,} classes that 'classes'{fewest} select; select these, too, or do not withhold them."
            )
            raise SuiteError(message)


def _check_known(key: str, names: Iterable[str], counts: Mapping[str, int], where: str) -> None:
    """Check that names are classes of the data set.

    Raises:
        SuiteError: some are not; the message has near matches.

    """
    unknown = [name for name in names if name not in counts]
    if unknown:
        hints = [did_you_mean(name, counts) for name in unknown[:MOST_HINTS]]
        named = hints if len(unknown) == 1 else map("{}: {}".format, unknown, hints)
        message = f"{where}: {key} names what is not a class of it: {listed(unknown)}. {' '.join(named)}"
        raise SuiteError(message)
