"""Kind of warning: code, explanation, and the check that finds it in the results of a section."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from ...data_manifests.dataset import Dataset
    from ..results.section import Section


@dataclass(frozen=True)
class Evidence:
    """What warnings about a section are based on.

    Attributes:
        section: the results.
        tables: tables over all runs of the report, by file name.

    """

    section: Section
    tables: Mapping[str, pd.DataFrame]


class WarningKind(ABC):
    """A kind of warning.

    A new kind is a subclass with an instance in `catalogue.KINDS`.

    Attributes:
        code: W and two digits; never reused for another kind.
        name: short name.
        title: brief description.
        meaning: why it matters, with the source.
        remedy: recommended action.

    """

    code: ClassVar[str]
    name: ClassVar[str]
    title: ClassVar[str]
    meaning: ClassVar[str]
    remedy: ClassVar[str]

    @abstractmethod
    def check(self, evidence: Evidence) -> Iterator[str]:
        """Yield the findings in a section, with numbers and names; none if the warning does not apply."""

    def store(self, out: Path, dataset: Dataset) -> None:  # noqa: B027 - most kinds need only stored runs
        """Store in a results folder what the check needs of an opened data set."""


@dataclass(frozen=True)
class SplitData:
    """Stored facts about the data of a split, which are known before any run.

    Attributes:
        out: the results folder.
        dataset: name of the data set.
        data_sha256: hash of its data.
        truth: object_id, part, taxon and sample of each object.

    """

    out: Path
    dataset: str
    data_sha256: str
    truth: pd.DataFrame


class DataWarningKind(WarningKind):
    """A kind of warning about the data of a split, which is also given before its runs."""

    @abstractmethod
    def findings(self, data: SplitData) -> Iterator[str]:
        """Yield the findings in a split, with numbers and names; none if the warning does not apply."""

    def check(self, evidence: Evidence) -> Iterator[str]:
        """Yield the findings in the split of the first run."""
        run = evidence.section.runs[0]
        return self.findings(SplitData(run.out, run.card.data.name, run.card.data.sha256, run.truth))


@dataclass(frozen=True)
class ReportWarning:
    """A warning that applies to a section.

    Attributes:
        kind: kind of the warning.
        text: the finding, with numbers and names.

    """

    kind: WarningKind
    text: str
