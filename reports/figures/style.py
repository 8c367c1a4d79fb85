"""Common style of the figures: colours, fonts and canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractContextManager

    from matplotlib.axes import Axes

    from ..results.section import Section, TrackResult


INK, ACCENT, PALE = "#20303c", "#0b6e8f", "#b8ccd4"


STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": PALE,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # a $ in a name is not the start of a formula
}


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of this size in inches and its axes, created without pyplot and its global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots()


def style() -> AbstractContextManager[None]:
    """Return the context in which figures are drawn and saved."""
    return mpl.rc_context(STYLE)


TRACKS = 6  # more lines could not be distinguished


def tracks_shown(section: Section) -> dict[str, TrackResult]:
    """Return the best tracks of a section by name, at most `TRACKS`."""
    return {track.name: track for track in section.done[:TRACKS]}


def track_colours(names: Collection[str]) -> list[tuple[float, float, float]]:
    """Return one colour for each track."""
    import seaborn as sns

    return list(sns.color_palette("colorblind", len(names)))


def finish(axes: Axes) -> None:
    """Add grid and legend to axes with one line per track."""
    axes.grid(color=PALE, linewidth=0.5)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
