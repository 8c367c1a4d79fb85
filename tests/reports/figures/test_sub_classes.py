"""Figure of false negatives: heights, order, classes left out, and rows of many classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from planktonbench.reports.figures.style import style
from planktonbench.reports.figures.sub_classes import CLASSES_PER_ROW, false_negatives

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section


def test_bars_are_false_negatives_of_each_class(make_section: Callable[..., Section]) -> None:
    """Sorted by those of the first track; a class without any is left out and counted; later bars are narrower."""
    taxa = {"a": 12, "b": 30, "c": 9}
    section = make_section({"track": "x", "taxa": taxa, "wrong": 6}, {"track": "y", "taxa": taxa, "wrong": 3})
    tracks = sorted(section.tracks, key=lambda track: track.name)
    with style():
        figure = false_negatives(tracks)
    assert figure is not None
    (axes,) = figure.axes
    bars = [[bar.get_height() for bar in container] for container in axes.containers]
    widths = [container[0].get_width() for container in axes.containers]

    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b"]
    assert bars == [pytest.approx([1, 2 / 10]), pytest.approx([3 / 4, 0])]
    assert widths[0] > widths[1]
    assert axes.get_xlabel().endswith("; 1 classes without a false negative are not shown")
    figure.canvas.draw()
    assert axes.get_legend().get_window_extent().y0 >= axes.bbox.y1  # the highest bars reach the upper end


def test_many_classes_are_in_several_rows(make_section: Callable[..., Section]) -> None:
    """Of about the same number of classes, in order."""
    n = CLASSES_PER_ROW + 2
    taxa = {f"class {k:03d}": 3 for k in range(n)}
    section = make_section({"taxa": taxa, "wrong": n})
    with style():
        figure = false_negatives(section.tracks)
    assert figure is not None
    shown = [[label.get_text() for label in axes.get_xticklabels()] for axes in figure.axes]

    assert [len(names) for names in shown] == [n // 2, n // 2]
    assert [*shown[0], *shown[1]] == list(taxa)


def test_without_errors_there_is_no_figure(make_section: Callable[..., Section]) -> None:
    """There is nothing to draw."""
    assert false_negatives(make_section({"wrong": 0}).tracks) is None
