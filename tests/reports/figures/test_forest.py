"""Static forest plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import planktonbench as pb
from planktonbench.reports.figures.forest import forest
from planktonbench.reports.scoring.score import Context

if TYPE_CHECKING:
    from planktonbench.reports.comparisons.comparison import Comparison


def compared(dataset: str, right: int) -> Comparison:
    """Compare a perfect method with one that predicts `right` objects correctly."""
    truth = ["a", "b"] * 20
    predicted = [*truth[:right], *("b" if taxon == "a" else "a" for taxon in truth[right:])]
    return pb.compare(truth, truth, predicted, draws=50, context=Context(data=dataset))


def test_each_data_set_has_a_row() -> None:
    """Each row has a name, a point and an interval; ties are hollow; there is a line at zero."""
    found = [compared("lake", 10), compared("bay", 40)]
    (axes,) = forest(found).axes
    ends, points = axes.lines[0:4:2], axes.lines[1:4:2]

    assert [label.get_text() for label in axes.get_yticklabels()] == ["a − b\nlake, n = 40", "a − b\nbay, n = 40"]
    assert [tuple(line.get_xdata()) for line in ends] == [one.interval for one in found]
    assert [float(line.get_xdata()[0]) for line in points] == [one.delta for one in found]
    assert [line.get_markerfacecolor() for line in points][1] == "white"
    assert list(axes.lines[4].get_xdata()) == [0, 0]
