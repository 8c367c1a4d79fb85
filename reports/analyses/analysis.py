"""Analysis of stored predictions: a table over all runs, and what the page of a section shows of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from ..results.run_table import why_missing

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from matplotlib.figure import Figure

    from ..results.section import Section
    from ..results.stored_run import StoredRun


INTERVALS = (
    "In brackets are 95 % intervals over samples, or over single objects if there are not several samples; for several "
    "runs, values and ends are means over runs."
)
"""Sentence on the intervals of `run_table.means_with_intervals`, for descriptions."""


TRACK = "track"


class CaptionLine(NamedTuple):
    """A line below a picture: a name, its value in bold, and a remark in parentheses unless it is empty."""

    name: str
    value: str
    remark: str = ""


@dataclass(frozen=True)
class CaptionedPicture:
    """The image of an object, shown with its id and a caption; without the image if that is not stored.

    Attributes:
        object_id: id of the object.
        caption: lines above the id.

    """

    object_id: str
    caption: tuple[CaptionLine, ...]


class PictureStrip(NamedTuple):
    """Images of some objects next to each other, with a title; objects without a stored image are not shown."""

    title: str
    object_ids: tuple[str, ...]


@dataclass(frozen=True)
class PictureGroup:
    """Strips of pictures that belong together.

    Attributes:
        title: heading.
        strips: the strips, at most four next to each other.

    """

    title: str
    strips: tuple[PictureStrip, ...]

    @property
    def object_ids(self) -> list[str]:
        """Ids of all objects shown."""
        return [object_id for strip in self.strips for object_id in strip.object_ids]


@dataclass(frozen=True)
class SectionFile:
    """A further file of a section among the tables of the report.

    Attributes:
        name: file name, which is prefixed with the name of the section.
        title: text of the link.
        content: text of the file.

    """

    name: str
    title: str
    content: str


class Analysis(ABC):
    """Base class of the analyses. Set `title` and `description`, and implement what the analysis contributes.

    A new analysis is a subclass in a module of its own with an instance in `catalogue.ANALYSES`.

    Attributes:
        file: file name of the table; empty if the analysis has no table.
        figure: file name of the figure, without suffix; empty if there is none.
        anchor: anchor of a separate section of the page; if it is empty, the analysis is one of "Further analyses".
        files_description: what the further files contain, shown before the links to them.
        row_title: what a row of the summary is about; unless it is a track, rows are shown in their order.

    """

    file: str = ""
    figure: str = ""
    anchor: str = ""
    files_description: str = ""
    row_title: str = TRACK

    @property
    @abstractmethod
    def title(self) -> str:
        """Heading on the page."""

    @property
    @abstractmethod
    def description(self) -> str:
        """One or two sentences on the content; `{best}` is replaced by the name of the best track of a section."""

    def applies(self, section: Section) -> bool:
        """Return whether the analysis concerns a section; if not, the page does not mention it."""
        return bool(section.done)

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:  # noqa: ARG002 - for analyses with a table
        """Compute the table from all runs of a results folder, as `run_table` does.

        Runs that have failed or that the analysis does not concern have no rows; runs without values have the reason.
        A table without rows is not written, and a section without rows does not show the analysis.
        """
        return pd.DataFrame()

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:  # noqa: ARG002 - for analyses with a summary
        """Reduce the rows of a section to one for each track (its index), of means over runs or text.

        The rows may be about something else than tracks, which `row_title` then names.
        """
        return pd.DataFrame()

    def draw(self, section: Section, rows: pd.DataFrame) -> Figure | None:  # noqa: ARG002 - for those with a figure
        """Draw the figure from a section and its rows of the table; None if there is nothing to draw."""
        return None

    def remarks(self, section: Section, rows: pd.DataFrame) -> list[str]:  # noqa: ARG002 - for other remarks
        """Return sentences for the page: why values are missing."""
        return [f"Not available: {reason}" for reason in why_missing(rows)] if len(rows) else []

    def pictures(self, section: Section) -> list[CaptionedPicture]:  # noqa: ARG002 - for analyses with pictures
        """Return the pictures for the page. Their images are stored in the results folder by runs."""
        return []

    def picture_groups(self, section: Section) -> list[PictureGroup]:  # noqa: ARG002 - for analyses with pictures
        """Return groups of pictures for the page. Their images are stored in the results folder by runs."""
        return []

    def files(self, section: Section, with_best: Collection[str]) -> list[SectionFile]:  # noqa: ARG002 - as above
        """Return further files of a section.

        Args:
            section: the results.
            with_best: compared tracks that are not distinguishable from the best one.

        """
        return []
