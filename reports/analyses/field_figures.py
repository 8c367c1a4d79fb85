"""Figures for ecologists and curators, in the style of the house, drawn from the tables of `field_tables`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.ticker import FuncFormatter

from ..figures.section_figures import INK, PALE, canvas
from ..results.subset_predictions import scored_calls
from .abundance import ABUNDANCE_BY_TAXON, ESTIMATORS
from .calibration import RELIABILITY, confidence
from .catalogue import of_section
from .sorting_effort import EFFORT, ONE, TARGETS
from .taxonomic_ranks import RANKS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..results.section import Section, TrackResult

TRACKS = 6  # more lines cannot be told apart
POINTS = 400  # of a curve
SIZES = (8, 120)  # of points, in square points
LINEAR_BELOW = 10  # objects
FEWEST = 20  # objects accepted, before their precision is drawn: that of a handful jumps


def field_figures(section: Section, tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure | None]:
    """Return the figures of a section by file name, without suffix; None where its runs give nothing to draw.

    Args:
        section: the results.
        tables: from `field_tables`, of these runs and perhaps others.

    """
    here = {name: of_section(table, section) for name, table in tables.items()}
    return {
        "ranks": ranks_figure(section, here[RANKS]),
        "reliability": reliability_figure(section, here[RELIABILITY]),
        "effort": effort_figure(section, here[EFFORT]),
        "abundance": abundance_figure(section, here[ABUNDANCE_BY_TAXON]),
    }


def ranks_figure(section: Section, table: pd.DataFrame) -> Figure | None:
    """Draw macro F1 at each rank of the taxonomy, mean over runs, one line for each of the best tracks."""
    told = table.dropna(subset=["macro_f1"])
    if told.empty:
        return None
    names = _shown(section)
    ranks = list(dict.fromkeys(told["rank"]))
    classes = told.groupby("rank")["n_classes"].max().astype(int)
    means = told.pivot_table("macro_f1", "track", "rank")[ranks].reindex(list(names))
    figure, axes = canvas(7.5, 4.2)
    for colour, (name, values) in zip(_colours(names), means.iterrows(), strict=True):
        axes.plot(range(len(ranks)), values, "o-", color=colour, label=str(name), markersize=4, linewidth=1.2)
    axes.set_xticks(range(len(ranks)), [f"{rank}\n{classes[rank]}" for rank in ranks])
    axes.set(xlabel="rank, 1 below the root; number of classes there", ylabel="macro F1, mean over runs", ylim=(0, 1))
    _finish(axes)
    return figure


def reliability_figure(section: Section, table: pd.DataFrame) -> Figure | None:
    """Draw accuracy against confidence in bins, all runs of a track together; points grow with their objects."""
    told = table.dropna(subset=["confidence"])
    names = [name for name in _shown(section) if name in set(told["track"])]
    if not names:
        return None
    figure, axes = canvas(6.4, 4.6)
    axes.plot((0, 1), (0, 1), "--", color=INK, linewidth=0.8)
    for name, colour in zip(names, _colours(names), strict=True):
        bins = _pooled(told[told["track"] == name])
        axes.plot(bins["confidence"], bins["accuracy"], color=colour, linewidth=1, alpha=0.8)
        areas = SIZES[0] + (SIZES[1] - SIZES[0]) * bins["n_objects"] / bins["n_objects"].sum()
        axes.scatter(bins["confidence"], bins["accuracy"], s=areas, color=colour, label=name, alpha=0.8)
    axes.set(xlabel="confidence: score of the called class", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1.02))
    _finish(axes)
    return figure


def _pooled(bins: pd.DataFrame) -> pd.DataFrame:
    """Add the bins of several runs up."""
    weighted = bins[["confidence", "accuracy"]].mul(bins["n_objects"], axis=0).assign(n_objects=bins["n_objects"])
    sums = weighted.groupby(bins["low"]).sum()
    return sums[["confidence", "accuracy"]].div(sums["n_objects"], axis=0).assign(n_objects=sums["n_objects"])


def effort_figure(section: Section, table: pd.DataFrame) -> Figure | None:
    """Draw the precision of test objects accepted automatically against their share, all runs of a track together.

    Lines are what all thresholds would give; crosses are what those chosen on validation rows gave, mean over runs.
    """
    curves = {name: _curve(track) for name, track in _shown(section).items()}
    drawn = {name: curve for name, curve in curves.items() if len(curve)}
    if not drawn:
        return None
    figure, axes = canvas(6.8, 4.4)
    for target in TARGETS:
        axes.axhline(target, color=INK, linewidth=0.6, linestyle=":")
    chosen = table[(table["rule"] == ONE) & (table["n_accepted"] > 0)]
    for (name, curve), colour in zip(drawn.items(), _colours(drawn), strict=True):
        axes.plot(curve["share"], curve["precision"], color=colour, linewidth=1.2, label=name)
        points = chosen[chosen["track"] == name].groupby("target")[["share", "precision"]].mean()
        axes.plot(points["share"], points["precision"], "x", color=colour, markersize=6)
    axes.set(
        xlabel="share of test objects accepted, the surest first",
        ylabel="share of these that is right",
        xlim=(0, 1),
        ylim=(min(0.88, *(curve["precision"].min() - 0.02 for curve in drawn.values())), 1.005),
    )
    _finish(axes)
    return figure


def _curve(track: TrackResult) -> pd.DataFrame:
    """Return share and precision at `POINTS` thresholds, equal scores together.

    There are no rows when no run has scores, or when there are fewer objects than a share of them can be told of.
    """
    found = [scored_calls(run) for run in track.runs if run.score is not None]
    known = [one for one in found if not isinstance(one, str)]
    if sum(len(calls.truth) for calls, _ in known) < FEWEST:
        return pd.DataFrame(columns=["share", "precision"])
    sure = np.concatenate([confidence(calls, scores) for calls, scores in known])
    order = np.argsort(-sure, kind="stable")
    right = np.cumsum(np.concatenate([calls.right for calls, _ in known])[order])
    last = np.flatnonzero(np.append(np.diff(sure[order]) != 0, True))  # of equal scores
    last = last[last + 1 >= FEWEST]
    place = last[np.unique(np.linspace(0, len(last) - 1, POINTS).astype(int))]
    return pd.DataFrame({"share": (place + 1) / len(order), "precision": right[place] / (place + 1)})


def abundance_figure(section: Section, table: pd.DataFrame) -> Figure | None:
    """Draw counted against true objects of each taxon for the best track, plain and adjusted, mean over runs."""
    told = table.dropna(subset=["n_counted"])
    told = told[told["track"] == section.done[0].name] if section.done else told.head(0)
    if told.empty:
        return None
    means = told.groupby(["estimator", "taxon"], as_index=False)[["n_true", "n_counted"]].mean()
    figure, axes = canvas(6.4, 4.8)
    top = 1.3 * means[["n_true", "n_counted"]].to_numpy().max()
    axes.plot((0, top), (0, top), "--", color=INK, linewidth=0.8)
    order = [name for name in ESTIMATORS if name in set(means["estimator"])]
    sns.scatterplot(
        data=means, x="n_true", y="n_counted", hue="estimator", style="estimator", hue_order=order, style_order=order,
        palette="colorblind", s=30, alpha=0.8, ax=axes,
    )  # fmt: skip
    axes.set_xscale("symlog", linthresh=LINEAR_BELOW)
    axes.set_yscale("symlog", linthresh=LINEAR_BELOW)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set(
        xlabel=f"test objects of the taxon (linear up to {LINEAR_BELOW})",
        ylabel=f"counted by {section.done[0].name}, mean over runs",
        xlim=(-0.5, top),
        ylim=(-0.5, top),
    )
    _finish(axes)
    return figure


def _shown(section: Section) -> dict[str, TrackResult]:
    return {track.name: track for track in section.done[:TRACKS]}


def _colours(names: Collection[str]) -> list[tuple[float, float, float]]:
    return list(sns.color_palette("colorblind", len(names)))


def _finish(axes: Axes) -> None:
    axes.grid(color=PALE, linewidth=0.5)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
