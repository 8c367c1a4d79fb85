"""Figures of methods with sub-classes: false negatives by class, numbers of sub-classes, and search over an option."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .style import INK, PALE, canvas, finish, track_colours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from ..results.section import TrackResult

WIDTHS = (0.9, 0.56, 0.24)  # of the bars of the first, second and third track
CLASSES_PER_ROW = 70


def false_negatives(tracks: Sequence[TrackResult]) -> Figure | None:
    """Draw the share of false negatives of each class, as in figure 3 of Venkataramanan et al. 2021.

    Bars of the tracks are drawn over each other, the first one widest. Classes are sorted by the false negatives of the
    first track; those without a false negative of any track are left out.

    Args:
        tracks: at most three tracks; test objects of all their runs are pooled.

    Returns:
        The figure; None if no track has a false negative.

    """
    shares = pd.DataFrame({track.name: 1 - track.per_class.set_index("taxon")["recall"] for track in tracks})
    shown = shares[(shares > 0).any(axis=1)].sort_index().sort_values(tracks[0].name, ascending=False, kind="stable")
    if not len(shown):
        return None
    n_rows = math.ceil(len(shown) / CLASSES_PER_ROW)
    per_row = math.ceil(len(shown) / n_rows)
    figure = Figure(figsize=(max(7.5, 1.2 + 0.14 * per_row), 0.8 + 4.2 * n_rows), layout="constrained")
    FigureCanvasAgg(figure)
    panels = np.atleast_1d(figure.subplots(n_rows, 1))
    for row, axes in enumerate(panels):
        _false_negative_bars(axes, shown.iloc[row * per_row : (row + 1) * per_row], per_row, shares.mean())
        axes.set_ylim(0, min(1, 1.05 * shown.to_numpy().max()))
    panels[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(tracks), frameon=False)
    n_perfect = len(shares) - len(shown)
    left_out = f"; {n_perfect} classes without a false negative are not shown" if n_perfect else ""
    panels[-1].set_xlabel(f"classes by false negatives of {tracks[0].name}{left_out}")
    figure.supylabel("false negatives, share of the test objects of the class", fontsize="medium")
    return figure


def _false_negative_bars(axes: Axes, shares: pd.DataFrame, n_places: int, means: pd.Series) -> None:
    """Draw the bars of some classes, with as many places as other rows of the figure."""
    colours = [PALE, *track_colours(list(shares.columns))[1:]]
    for name, width, colour in zip(shares.columns, WIDTHS, colours, strict=False):
        axes.bar(np.arange(len(shares)), shares[name], width, color=colour, label=f"{name}, mean {means[name]:.3f}")
    axes.set_xlim(-0.7, n_places - 0.3)
    axes.set_xticks(range(len(shares)), shares.index, rotation=90, fontsize=7)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y", color=PALE, linewidth=0.5)
    axes.set_axisbelow(True)


def subclasses_per_epoch(numbers: Mapping[str, Sequence[Sequence[int]]]) -> Figure:
    """Draw the number of sub-classes of all classes in each epoch of training.

    Args:
        numbers: for each track, the numbers of each of its runs, from the first epoch on.

    """
    figure, axes = canvas(7.5, 3.4)
    for (name, runs), colour in zip(numbers.items(), track_colours(numbers), strict=True):
        for position, run in enumerate(runs):
            label = "_" if position else name
            axes.plot(range(1, len(run) + 1), run, color=colour, linewidth=1.4, alpha=0.85, label=label)
    axes.set(xlabel="epoch", ylabel="sub-classes of all classes", ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    finish(axes)
    return figure


def threshold_search(rows: pd.DataFrame, default: float) -> Figure:
    """Draw macro F1 on validation and test objects against the confusion threshold.

    Args:
        rows: one row for each run, with method, confusion_threshold, valid_macro_f1, macro_f1 and its interval.
        default: threshold of the paper, which is marked.

    """
    figure, axes = canvas(7.5, 3.6)
    names = list(dict.fromkeys(rows["method"]))
    for name, colour in zip(names, track_colours(names), strict=True):
        columns = ["valid_macro_f1", "macro_f1", "macro_f1_lo", "macro_f1_hi"]
        means = rows[rows["method"] == name].groupby("confusion_threshold")[columns].mean()
        axes.vlines(means.index, means["macro_f1_lo"], means["macro_f1_hi"], color=colour, linewidth=1, alpha=0.6)
        axes.plot(means.index, means["macro_f1"], "o-", color=colour, markersize=5, label=f"{name}, test (95 % CI)")
        axes.plot(
            means.index,
            means["valid_macro_f1"],
            "s--",
            color=colour,
            markersize=4,
            alpha=0.7,
            label=f"{name}, validation",
        )
    axes.axvline(default, color=INK, linewidth=0.8, linestyle=":", label="threshold of the paper")
    axes.set(xlabel="confusion threshold", ylabel="macro F1")
    finish(axes)
    return figure
