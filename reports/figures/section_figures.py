"""Static figures of a section, drawn with seaborn from stored predictions and cards."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, SymmetricalLogLocator

from .style import ACCENT, INK, PALE, canvas, style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer

    from ..results.section import Section, TrackResult

LINEAR_BELOW = 100  # objects; as in source 001, class sizes are linear below and logarithmic above
CLASSES_PER_COLUMN = 70
ANNOTATE_UP_TO = 15  # classes; with more, numbers would be illegible
MOST_FEATURES = 20
LABEL_ITERATIONS = 500  # to move overlapping names apart
NAMED_COLUMNS = 100  # with more, the names of columns are left out


def class_sizes(section: Section) -> Figure:
    """Draw objects per class, the largest first, linear up to 100 and logarithmic above, as in source 001."""
    sizes = section.class_sizes
    columns = math.ceil(len(sizes) / CLASSES_PER_COLUMN)
    rows = math.ceil(len(sizes) / columns)
    figure = Figure(figsize=(2.5 + 5 * columns, 1.2 + 0.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for position, axes in enumerate(np.atleast_1d(figure.subplots(1, columns, sharex=True))):
        _size_bars(sizes.iloc[position * rows : (position + 1) * rows], axes)
        axes.set_xlim(0, sizes.max() * 4)
    return figure


def _size_bars(sizes: pd.Series, axes: Axes) -> None:
    import seaborn as sns

    sns.barplot(x=sizes.to_numpy(), y=sizes.index, color=ACCENT, ax=axes)
    axes.set_xscale("symlog", linthresh=LINEAR_BELOW)
    axes.axvline(LINEAR_BELOW, color=INK, linewidth=0.8, linestyle="--")
    axes.bar_label(
        cast("BarContainer", axes.containers[0]), labels=[f"{size:,}" for size in sizes], padding=3, fontsize=7
    )
    axes.set(xlabel=f"objects per class (linear up to {LINEAR_BELOW}, logarithmic above)", ylabel="")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def tracks(section: Section) -> Figure:
    """Draw macro F1 of each run with its interval, tracks in the order of the leaderboard."""
    import seaborn as sns

    rows = [
        {"track": track.name, "macro F1": score.macro_f1, "ends": score.macro_f1_interval, "run": position}
        for track in section.done
        for position, score in enumerate(track.scores)
    ]
    table = pd.DataFrame(rows)
    figure, axes = canvas(7.5, 1.0 + 0.42 * len(section.done))
    names = [track.name for track in section.done]
    runs = table["run"].max() + 1
    heights = table["track"].map(names.index) + (table["run"] - (runs - 1) / 2) * 0.18
    for height, ends in zip(heights, table["ends"], strict=True):
        axes.plot(ends, (height, height), color=PALE, linewidth=3, solid_capstyle="round")
    sns.scatterplot(x=table["macro F1"], y=heights, color=ACCENT, s=24, ax=axes, zorder=3)
    axes.set_yticks(range(len(names)), names)
    axes.set(ylim=(len(names) - 0.5, -0.5), xlim=(0, 1), xlabel="macro F1 of each run (95 % CI)", ylabel="")
    axes.grid(axis="x", color=PALE, linewidth=0.5)
    return figure


def f1_by_size(section: Section) -> Figure:
    """Draw F1 of each class against its number of objects, one colour per track."""
    import seaborn as sns

    sizes = section.class_sizes
    shown = section.done[:6]
    table = pd.concat([track.per_class.assign(track=track.name) for track in shown])
    table["objects"] = table["taxon"].map(sizes)
    figure, axes = canvas(7.5, 4.2)
    sns.scatterplot(
        data=table, x="objects", y="f1", hue="track", style="track", palette="colorblind", s=36, alpha=0.85, ax=axes
    )
    axes.set(
        xscale="log",
        ylim=(-0.03, 1.03),
        xlabel="objects per class (train, valid and test)",
        ylabel="F1 of the class",
    )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(color=PALE, linewidth=0.5)
    if axes.get_legend() is not None:
        sns.move_legend(axes, "center left", bbox_to_anchor=(1, 0.5), frameon=False, title=None)
    return figure


def imbalance(section: Section) -> Figure | None:
    """Draw macro F1 against accuracy of tracks that differ in how they treat class imbalance; None if none differ."""
    import seaborn as sns

    treated = [track for track in section.done if "imbalance" in track.card.track.config]
    if len({track.card.track.config["imbalance"] for track in treated}) < 2:  # noqa: PLR2004 - nothing to compare
        return None
    from adjustText import adjust_text

    rows = [
        {"accuracy": score.accuracy, "macro F1": score.macro_f1, "method": track.card.track.config["track"]}
        for track in treated
        for score in track.scores
    ]
    figure, axes = canvas(7.5, 4.6)
    sns.scatterplot(
        data=pd.DataFrame(rows),
        x="accuracy",
        y="macro F1",
        hue="method",
        palette="colorblind",
        s=18,
        alpha=0.5,
        ax=axes,
    )
    x, y = [track.accuracy for track in treated], [track.macro_f1 for track in treated]
    axes.plot(x, y, "+", color=INK, markersize=7)
    axes.grid(color=PALE, linewidth=0.5)
    axes.margins(x=0.15, y=0.1)
    sns.move_legend(axes, "upper center", bbox_to_anchor=(0.5, 1.1), ncols=2, frameon=False, title=None)
    names = [axes.text(track.accuracy, track.macro_f1, track.name, fontsize=7) for track in treated]
    line = {"arrowstyle": "-", "color": ACCENT, "linewidth": 0.5}
    adjust_text(names, x, y, ax=axes, arrowprops=line, iter_lim=LABEL_ITERATIONS, expand=(1.1, 1.3))
    return figure


def confusion(section: Section, track: TrackResult) -> Figure:
    """Draw the confusion matrix on a log scale, classes sorted by size; counts are written if there are few classes."""
    import seaborn as sns

    order = [name for name in section.class_sizes.index if name in track.confusion.index]
    counts = track.confusion.loc[order, order]
    few = len(order) <= ANNOTATE_UP_TO
    side = max(5.5, 2.2 + (0.5 if few else 0.22) * len(order))
    figure, axes = canvas(side + 0.8, side)
    top = math.log10(1 + counts.to_numpy().max())
    sns.heatmap(
        np.log10(1 + counts),
        mask=counts == 0,
        annot=counts if few else False,
        fmt="d",
        cmap=sns.color_palette("mako_r", as_cmap=True),
        vmin=0,
        vmax=top,
        square=True,
        linewidths=0.4,
        linecolor="#eef2f4",
        xticklabels=False,  # seaborn would draw the whole figure to check whether they overlap
        yticklabels=False,
        annot_kws={"fontsize": 7},
        cbar_kws={"shrink": 0.6, "ticks": _ticks(top), "format": FuncFormatter(lambda v, _: f"{10**v - 1:,.0f}")},
        ax=axes,
    )
    axes.set(xlabel="predicted taxon", ylabel="true taxon")
    axes.set_xticks(np.arange(len(order)) + 0.5, order, rotation=90)
    axes.set_yticks(np.arange(len(order)) + 0.5, order)
    axes.tick_params(length=0, labelsize=8 if few else 7)
    return figure


def _ticks(top: float) -> list[float]:
    """Return ticks at 0, 1, 10, 100 … objects on a scale of log10(1 + n)."""
    return [
        0,
        *(math.log10(1 + 10**power) for power in range(max(1, math.ceil(top))) if math.log10(1 + 10**power) <= top),
    ]


def correlations(preparation: pd.DataFrame) -> Figure | None:
    """Draw |r| of the columns below the diagonal, with dropped columns marked; None if no correlations are stored.

    With more than `NAMED_COLUMNS` columns names are left out, since the figure would be a metre wide.
    """
    import seaborn as sns

    columns = [name for name in preparation.columns if name.startswith("r:")]
    names = [name.removeprefix("r:") for name in columns]
    if not columns:
        return None
    r = preparation.set_index("feature").loc[names, columns].abs()
    dropped = preparation.set_index("feature")["dropped"]
    named = len(names) <= NAMED_COLUMNS
    labels = [f"{name} ×" if dropped[name] else name for name in names] if named else False
    side = max(5.0, 1.8 + 0.17 * len(names)) if named else 9.0
    figure, axes = canvas(side + 0.6, side)
    sns.heatmap(
        r.to_numpy(),
        mask=np.triu(np.ones(r.shape, dtype=bool), 1),
        cmap=sns.color_palette("mako_r", as_cmap=True),
        vmin=0,
        vmax=1,
        square=True,
        xticklabels=labels,
        yticklabels=labels,
        cbar_kws={"shrink": 0.6, "label": "|r|, training objects"},
        ax=axes,
    )
    axes.tick_params(length=0, labelsize=6.5)
    return figure


def importance(table: pd.DataFrame) -> Figure:
    """Draw gain and permutation importance of the features with the largest gain, next to each other."""
    import seaborn as sns

    shown = table.head(MOST_FEATURES)
    figure = Figure(figsize=(7.5, 1.0 + 0.21 * len(shown)), layout="constrained")
    FigureCanvasAgg(figure)
    gain, permutation = figure.subplots(1, 2, sharey=True)
    sns.barplot(x=shown["gain"], y=shown["feature"], color=ACCENT, ax=gain)
    sns.barplot(x=shown["permutation"], y=shown["feature"], color=PALE, ax=permutation)
    ends = shown["permutation_sd"].fillna(0)
    permutation.errorbar(shown["permutation"], shown["feature"], xerr=ends, fmt="none", ecolor=INK, elinewidth=0.8)
    gain.set(xlabel="gain (share of the total)", ylabel="")
    permutation.set(xlabel="decrease in macro F1 when permuted", ylabel="")
    return figure


def draw(section: Section, others: Mapping[str, Figure | None] = MappingProxyType({})) -> dict[str, Figure]:
    """Return all figures of a section by file name without suffix; those of simulated data are labelled.

    Args:
        section: the results.
        others: further figures to return with them; None where there is nothing to draw.

    """
    with style():
        found: dict[str, Figure | None] = {"classes": class_sizes(section)}
        if section.done:
            found |= {"tracks": tracks(section), "f1-by-size": f1_by_size(section), "imbalance": imbalance(section)}
        found |= {f"{track.name}-confusion": confusion(section, track) for track in section.done}
        if section.preparation is not None:
            _, table = section.preparation
            found |= {"scales": scales(table), "correlations": correlations(table)}
        if section.importance is not None:
            found["importance"] = importance(section.importance[1])
        found |= others
        drawn = {name: figure for name, figure in found.items() if figure is not None}
        for figure in drawn.values() if section.simulated else ():
            figure.supxlabel("simulated data", x=1, ha="right", fontsize=7, color=INK)
        return drawn


def scales(preparation: pd.DataFrame) -> Figure:
    """Draw mean and standard deviation of each native column before and after normalisation, as in source 001."""
    import seaborn as sns

    names = {
        "mean": "mean, raw",
        "std": "SD, raw",
        "mean_after": "mean, normalised",
        "std_after": "SD, normalised",
    }
    table = preparation[list(names)].rename(columns=names).melt(var_name="statistic", value_name="value").dropna()
    figure, axes = canvas(7.5, 2.4)
    order = list(names.values())
    sns.stripplot(data=table, x="value", y="statistic", order=order, color=ACCENT, alpha=0.4, jitter=False, ax=axes)
    axes.set_xscale("symlog", linthresh=0.1)
    locator = SymmetricalLogLocator(base=10, linthresh=0.1)
    locator.set_params(numticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set(xlabel="value (linear between -0.1 and 0.1, logarithmic beyond)", ylabel="")
    axes.grid(axis="x", color=PALE, linewidth=0.5)
    return figure
