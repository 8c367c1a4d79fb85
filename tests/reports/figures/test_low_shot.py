"""Figures of weight imprinting: points, lines of each group, border, order of classes and marked errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.reports.figures.class_size_chart import smooth
from planktonbench.reports.figures.low_shot import confusion_of_groups, scores_by_training_size
from planktonbench.reports.figures.style import style
from planktonbench.reports.results.class_groups import ClassGroups
from planktonbench.reports.results.confused_pairs import Confusion

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from planktonbench.reports.results.section import Section

SIZES = {f"class {k:02d}": 3 * (k + 2) for k in range(24)}
BASE = frozenset(name for name, size in SIZES.items() if size >= 42)
GROUPS = ClassGroups(BASE, frozenset(SIZES) - BASE, 14.0)


def lines(axes: Axes, style_: str) -> list[np.ndarray]:
    """Return the points of the lines with data in a line style, each of shape (n, 2)."""
    return [
        np.asarray(one.get_xydata()) for one in axes.lines if one.get_linestyle() == style_ and len(one.get_xdata())
    ]


def test_points_are_classes_and_lines_are_of_one_group(make_section: Callable[..., Section]) -> None:
    """Values are those of the pooled counts; each line is a LOWESS fit of the classes on its side."""
    section = make_section({"taxa": SIZES, "wrong": 50}, {"taxa": SIZES, "wrong": 30, "seed": 1})
    (track,) = section.tracks
    with style():
        figure = scores_by_training_size([track], section.training_sizes, GROUPS)
    assert figure is not None
    table = track.per_class.assign(objects=track.per_class["taxon"].map(section.training_sizes))

    for axes, score in zip(figure.axes, ("precision", "recall"), strict=True):
        (points,) = lines(axes, "None")
        assert sorted(map(tuple, points)) == sorted(zip(table["objects"], table[score], strict=True))
        for fit, members in zip(lines(axes, "-"), (GROUPS.base, GROUPS.low_shot), strict=True):
            rows = table[table["taxon"].isin(members)]
            expected = smooth(rows["objects"], rows[score])
            assert fit[:, 0] == pytest.approx(expected[:, 0])
            assert fit[:, 1] == pytest.approx(np.clip(expected[:, 1], 0, 1))
        assert axes.get_xscale() == "log"
        assert [border[:, 0].tolist() for border in lines(axes, "--")] == [[14.0, 14.0]]


def test_without_a_threshold_the_border_is_between_the_groups(make_section: Callable[..., Section]) -> None:
    """Classes without training objects have no place on the axis; without any class there is no figure."""
    section = make_section({"taxa": {"a": 9, "b": 36}})
    groups = ClassGroups(frozenset("b"), frozenset("a"), None)
    with style():
        figure = scores_by_training_size(section.tracks, pd.Series({"a": 3.0, "b": 12.0}), groups)
        empty = scores_by_training_size(section.tracks, pd.Series({"a": 0.0, "b": 0.0}), groups)

    assert figure is not None
    assert [border[0, 0] for border in lines(figure.axes[0], "--")] == [pytest.approx(6.0)]
    assert empty is None


def test_classes_are_sorted_by_group_and_size() -> None:
    """The border is after the low-shot classes; a class of neither group is left out; errors are numbered."""
    sizes = pd.Series({"none": 0, "l1": 2, "l2": 5, "b1": 9, "b2": 30})
    groups = ClassGroups(frozenset({"b1", "b2"}), frozenset({"l1", "l2"}), 8.0)
    counts = pd.DataFrame(0, index=["b1", "b2", "l1", "l2", "none"], columns=["b1", "b2", "l1", "l2", "none"])
    counts.loc["b2", ["b2", "l1", "none"]] = [6, 2, 2]
    counts.loc["l1", "l1"] = 4
    with style():
        figure = confusion_of_groups(counts, sizes, groups, [Confusion("b2", "l1", 2, 0.2, ("o1", "o2"))])
    axes = figure.axes[0]
    (image,) = axes.images
    shares = np.ma.filled(image.get_array(), 0)

    assert [label.get_text() for label in axes.get_yticklabels()] == ["l1", "l2", "b1", "b2"]
    assert shares[3].tolist() == [0.2, 0, 0, 0.6]
    assert shares[0].tolist() == [1, 0, 0, 0]
    assert {tuple(line.get_ydata()) for line in axes.lines} >= {(1.5, 1.5), (3,)}
    assert [line.get_xdata() for line in axes.lines][-1].tolist() == [0]
    assert [text.get_text() for text in axes.texts] == ["1", "low-shot", "low-shot", "base", "base"]


def test_names_of_many_classes_are_left_out() -> None:
    """They would be illegible."""
    names = [f"c{k:02d}" for k in range(50)]
    counts = pd.DataFrame(np.eye(50, dtype=int), names, names)
    with style():
        figure = confusion_of_groups(
            counts, pd.Series(range(1, 51), names), ClassGroups(frozenset(names[20:]), frozenset(names[:20]), None), []
        )

    assert figure.axes[0].get_xticklabels() == []
    assert figure.axes[0].get_xlabel() == "predicted class, by number of training objects"
