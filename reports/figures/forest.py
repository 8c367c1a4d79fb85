"""Static forest plot: the difference between two methods on each data set, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .style import ACCENT, INK, PALE, canvas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from ..comparisons.comparison import Comparison


def forest(comparisons: Sequence[Comparison]) -> Figure:
    """Draw one row for each comparison and a line at zero; a marker is filled if the methods differ.

    Args:
        comparisons: of one pair of methods or of several, in the order in which they are drawn from the top.

    """
    figure, axes = canvas(7.5, 1.2 + 0.34 * len(comparisons))
    for height, one in enumerate(comparisons):
        axes.plot(one.interval, (height, height), color=PALE, linewidth=3, solid_capstyle="round")
        filled = one.verdict != "tie"
        axes.plot(one.delta, height, "o", color=ACCENT, markersize=6, markerfacecolor=ACCENT if filled else "white")
    axes.axvline(0, color=INK, linewidth=0.8)
    labels = [f"{one.a} − {one.b}\n{one.dataset}, n = {one.n_objects:,}" for one in comparisons]
    axes.set_yticks(range(len(labels)), labels)
    axes.set(ylim=(len(labels) - 0.5, -0.5), xlabel="difference in macro F1 (paired 95 % CI)", ylabel="")
    axes.grid(axis="x", color=PALE, linewidth=0.5)
    return figure
