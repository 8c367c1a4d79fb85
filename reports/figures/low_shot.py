"""Figures of weight imprinting: scores by number of training objects, and confusion of base and low-shot classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import patheffects
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from .class_size_chart import smooth
from .style import INK, PALE, canvas, track_colours

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from ..results.class_groups import ClassGroups
    from ..results.confused_pairs import Confusion
    from ..results.section import TrackResult

BORDER = "#c0392b"
NAMED_CLASSES = 40  # with more, names would be illegible
MARKERS = ("o", "s", "^")


def scores_by_training_size(
    tracks: Sequence[TrackResult], training_sizes: pd.Series, groups: ClassGroups
) -> Figure | None:
    """Draw precision and recall of each class against its number of training objects.

    As in figures 3 and 4 of Schröder et al. 2018: a LOWESS line for each track and group, and a vertical line between
    low-shot classes (left) and base classes (right).

    Args:
        tracks: at most three tracks; test objects of all their runs are pooled.
        training_sizes: number of training objects by class.
        groups: base and low-shot classes.

    Returns:
        The figure; None if no class of either group has both training and test objects.

    """
    known = training_sizes[training_sizes.index.isin(list(groups.base | groups.low_shot)) & (training_sizes > 0)]
    if not len(known):
        return None
    colours = track_colours([track.name for track in tracks])
    figure = Figure(figsize=(8.2, 6.4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, score in zip(figure.subplots(2, 1, sharex=True), ("precision", "recall"), strict=True):
        for track, marker, colour in zip(tracks, MARKERS, colours, strict=False):
            table = track.per_class.assign(objects=track.per_class["taxon"].map(known)).dropna(subset=["objects"])
            axes.plot(table["objects"], table[score], marker, color=colour, markersize=4, alpha=0.4, markeredgewidth=0)
            for members in groups.classes().values():
                rows = table[table["taxon"].isin(list(members))]
                line = smooth(rows["objects"], rows[score])
                axes.plot(line[:, 0], np.clip(line[:, 1], 0, 1), color=colour, linewidth=2.2)
            axes.plot([], [], color=colour, marker=marker, markersize=4, linewidth=2.2, label=track.name)
        axes.axvline(_dividing_size(known, groups), color=INK, linewidth=1, linestyle="--")
        axes.set(xscale="log", ylim=(-0.03, 1.03), ylabel=f"{score} of the class")
        axes.grid(color=PALE, linewidth=0.5)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    upper, lower = figure.axes
    upper.legend(loc="lower center", bbox_to_anchor=(0.5, 1.07), ncols=len(MARKERS), frameon=False)
    _name_sides(upper, _dividing_size(known, groups))
    lower.set_xlabel("training objects of the class (mean over runs)")
    return figure


def _dividing_size(sizes: pd.Series, groups: ClassGroups) -> float:
    """Return the number of training objects at the border: the threshold, or halfway between the groups."""
    if groups.threshold is not None:
        return groups.threshold
    base, low_shot = (sizes[sizes.index.isin(list(members))] for members in (groups.base, groups.low_shot))
    ends = [*base.nsmallest(1), *low_shot.nlargest(1)]
    return float(np.exp(np.mean(np.log(ends))))


def _name_sides(axes: Axes, border: float) -> None:
    """Write the names of the groups above the axes, on either side of the border."""
    transform = axes.get_xaxis_transform()
    for text, side in (("low-shot classes  ", "right"), ("  base classes", "left")):
        axes.text(border, 1.02, text, ha=side, va="bottom", transform=transform, fontsize="small")


def confusion_of_groups(
    counts: pd.DataFrame, training_sizes: pd.Series, groups: ClassGroups, errors: Sequence[Confusion]
) -> Figure:
    """Draw a confusion matrix with classes sorted by size, a border between low-shot and base classes, and errors.

    Args:
        counts: confusion matrix, rows true and columns predicted classes.
        training_sizes: number of training objects by class, ascending.
        groups: base and low-shot classes; others are left out.
        errors: cells to be numbered from 1.

    """
    order = [
        str(name)
        for members in (groups.low_shot, groups.base)
        for name in training_sizes.index
        if name in members and name in counts.index
    ]
    border = sum(name in groups.low_shot for name in order)
    matrix = counts.loc[order, order].to_numpy(np.float64)
    support = np.broadcast_to(counts.loc[order].to_numpy().sum(axis=1, keepdims=True), matrix.shape)
    shares = np.divide(matrix, support, out=np.zeros_like(matrix), where=support > 0)
    figure, axes = canvas(8.4, 7.6)
    image = axes.imshow(
        np.ma.masked_equal(shares, 0), cmap=_sequential(), norm=PowerNorm(0.5, 0, 1), interpolation="nearest"
    )
    colour_bar = figure.colorbar(image, ax=axes, shrink=0.6, ticks=[0, 0.01, 0.1, 0.25, 0.5, 1])
    colour_bar.set_label("share of the test objects of the true class")
    for line in (axes.axhline, axes.axvline):
        line(border - 0.5, color=BORDER, linewidth=1.2)
    for number, error in enumerate(errors, 1):
        _mark(axes, str(number), order.index(error.predicted), order.index(error.truth))
    _name_groups(axes, border, len(order))
    _name_classes(axes, order)
    for spine in axes.spines.values():
        spine.set_visible(True)
    return figure


def _sequential() -> Colormap:
    import seaborn as sns

    colours: Colormap = sns.color_palette("mako_r", as_cmap=True)
    return colours


def _mark(axes: Axes, text: str, column: int, row: int) -> None:
    """Frame a cell and number it, with the number beside the cell so that its colour stays visible."""
    axes.plot(column, row, "s", markersize=7, markerfacecolor="none", markeredgecolor=BORDER, markeredgewidth=1.3)
    outline = [patheffects.withStroke(linewidth=2.5, foreground="white")]
    axes.annotate(
        text, (column, row), (6, 5), textcoords="offset points", color=BORDER, weight="bold", path_effects=outline
    )


def _name_groups(axes: Axes, border: int, n_classes: int) -> None:
    """Write the names of the groups above and to the right of the matrix."""
    for text, centre in (("low-shot", (border - 1) / 2), ("base", (border + n_classes - 1) / 2)):
        axes.text(centre, 1.01, text, ha="center", va="bottom", transform=axes.get_xaxis_transform())
        axes.text(1.01, centre, text, ha="left", va="center", rotation=270, transform=axes.get_yaxis_transform())


def _name_classes(axes: Axes, names: Sequence[str]) -> None:
    """Name the classes on both axes, or state their order if there are too many."""
    if len(names) > NAMED_CLASSES:
        axes.set(xticks=[], yticks=[])
        axes.set(
            xlabel="predicted class, by number of training objects", ylabel="true class, by number of training objects"
        )
        return
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.tick_params(length=0)
