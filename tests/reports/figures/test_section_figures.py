"""Static figures of a section: plotted values, order, scales and legible names."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, cast

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.cbook import is_math_text
from planktonbench.reports.figures import section_figures as figures
from planktonbench.reports.figures.style import style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection, QuadMesh
    from matplotlib.figure import Figure
    from matplotlib.text import Text
    from planktonbench.reports.results.section import Section

MANY = {f"Genus speciesoides {number:02d}": 3 * (1 + number**2) for number in range(39)}


def texts(labels: Iterable[Text]) -> list[str]:
    """Return the texts of labels."""
    return [label.get_text() for label in labels]


def points(axes: Axes, position: int = 0) -> np.ndarray:
    """Return the points of a scatter plot, shape (n, 2)."""
    return np.asarray(cast("PathCollection", axes.collections[position]).get_offsets())


def overlap(figure: Figure, labels: list[Text]) -> bool:
    """Return whether two neighbouring labels overlap in the drawn figure."""
    figure.canvas.draw()
    boxes = [label.get_window_extent() for label in labels]
    return any(one.overlaps(two) for one, two in pairwise(boxes))


def test_class_sizes_has_a_bar_for_each_class(make_section: Callable[..., Section]) -> None:
    """Classes are sorted by size and annotated; the scale is linear up to 100 and logarithmic above."""
    axes = figures.class_sizes(make_section({"taxa": {"egg": 6, "Zoea": 3000, "detritus": 12}})).axes[0]

    assert texts(axes.get_yticklabels()) == ["Zoea", "detritus", "egg"]
    assert [bar.get_width() for bar in axes.patches] == [3000, 12, 6]
    assert {"3,000", "12", "6"} <= set(texts(axes.texts))
    assert (axes.get_xscale(), axes.xaxis.get_transform().linthresh) == ("symlog", 100)


def test_tracks_has_a_point_and_an_interval_for_each_run(make_section: Callable[..., Section]) -> None:
    """Tracks are in order from the top; unfinished runs are left out."""
    section = make_section(
        {"track": "worse", "wrong": 9}, {"track": "best", "wrong": 1}, {"track": "best", "seed": 1, "wrong": 3},
        {"track": "lost", "status": "failed", "reason": "oh"},
    )  # fmt: skip
    axes = figures.tracks(section).axes[0]
    scores = [score for track in section.done for score in track.scores]

    assert texts(axes.get_yticklabels()) == ["best", "worse"]
    assert axes.yaxis_inverted()
    assert points(axes)[:, 0].tolist() == [score.macro_f1 for score in scores]
    assert points(axes)[:, 1].round().tolist() == [0, 0, 1]
    assert [tuple(line.get_xdata()) for line in axes.lines] == [score.macro_f1_interval for score in scores]


def test_f1_by_size_has_a_point_for_each_class_and_track(make_section: Callable[..., Section]) -> None:
    """F1 is drawn over the objects of all subsets on a log scale, for the first six tracks."""
    section = make_section(*({"track": f"track-{number}", "wrong": number} for number in range(8)))
    axes = figures.f1_by_size(section).axes[0]
    legend = axes.get_legend()

    assert axes.get_xscale() == "log"
    assert legend is not None
    assert texts(legend.get_texts()) == [track.name for track in section.done[:6]]
    assert sorted(points(axes)[:, 0].tolist()) == sorted([18, 36, 9] * 6)
    assert sorted(points(axes)[:, 1].tolist()) == sorted(f1 for t in section.done[:6] for f1 in t.per_class["f1"])


def test_strategies_against_imbalance_have_a_point_for_each_run(make_section: Callable[..., Section]) -> None:
    """Macro F1 is drawn over accuracy, with the name of each strategy at the mean of its runs."""
    section = make_section(
        {"track": "plain", "wrong": 1, "config": {"track": "net", "imbalance": "none"}},
        {"track": "weighted", "wrong": 3, "config": {"track": "net", "imbalance": "class-weights"}},
        {"track": "weighted", "seed": 1, "wrong": 6, "config": {"track": "net", "imbalance": "class-weights"}},
        {"track": "other", "wrong": 2},
    )
    figure = figures.imbalance(section)

    assert figure is not None
    axes = figure.axes[0]
    expected = [(s.accuracy, s.macro_f1) for t in section.done if t.name != "other" for s in t.scores]
    np.testing.assert_allclose(points(axes), expected)
    assert set(texts(axes.texts)) == {"plain", "weighted"}


def test_a_single_strategy_has_no_figure(make_section: Callable[..., Section]) -> None:
    """If all tracks use the same strategy there is nothing to compare."""
    config = {"track": "net", "imbalance": "none"}

    assert figures.imbalance(make_section({"config": config}, {"track": "second", "config": config})) is None


def test_confusion_is_on_a_log_scale_by_class_size(make_section: Callable[..., Section]) -> None:
    """True rows and predicted columns are sorted by size; empty cells are white; counts are written."""
    section = make_section({"wrong": 4})
    track = section.tracks[0]
    figure = figures.confusion(section, track)
    order = ["detritus", "Copepoda", "egg (other)"]
    counts = track.confusion.loc[order, order].to_numpy()
    cells = np.ma.asarray(cast("QuadMesh", figure.axes[0].collections[0]).get_array()).reshape(3, 3)

    assert texts(figure.axes[0].get_yticklabels()) == texts(figure.axes[0].get_xticklabels()) == order
    assert (figure.axes[0].get_ylabel(), figure.axes[0].get_xlabel()) == ("true taxon", "predicted taxon")
    assert cells.filled(0) == pytest.approx(np.log10(1 + counts))
    assert cells.mask.tolist() == (counts == 0).tolist()
    assert texts(figure.axes[0].texts) == [str(count) for count in counts.ravel() if count]


@pytest.mark.parametrize(
    ("largest", "expected"),
    [(1, ["0", "1"]), (9, ["0", "1"]), (10, ["0", "1", "10"]), (2500, ["0", "1", "10", "100", "1,000"])],
)
def test_the_colour_bar_counts_objects(make_section: Callable[..., Section], largest: int, expected: list[str]) -> None:
    """Its ticks are 0, 1, 10, 100 … objects up to the largest count."""
    section = make_section({"taxa": {"egg": 3 * largest, "Zoea": 3}, "wrong": 0})
    figure = figures.confusion(section, section.tracks[0])
    figure.canvas.draw()

    assert texts(figure.axes[1].get_yticklabels()) == expected


def test_39_classes_are_all_named(make_section: Callable[..., Section]) -> None:
    """No name is left out or overlapped by another; counts are not written."""
    section = make_section({"taxa": MANY, "wrong": 100})
    sizes, confusion = figures.class_sizes(section), figures.confusion(section, section.tracks[0])
    labels = [sizes.axes[0].get_yticklabels(), confusion.axes[0].get_yticklabels(), confusion.axes[0].get_xticklabels()]

    assert [texts(names) for names in labels] == [list(section.class_sizes.index)] * 3
    assert not overlap(sizes, labels[0])
    assert not overlap(confusion, labels[1])
    assert not overlap(confusion, labels[2])
    assert texts(confusion.axes[0].texts) == []


def test_scales_shows_each_column_before_and_after(preparation: pd.DataFrame) -> None:
    """Raw values of all columns and normalised values of kept columns are drawn, without random jitter."""
    axes, again = figures.scales(preparation).axes[0], figures.scales(preparation).axes[0]

    assert texts(axes.get_yticklabels()) == ["mean, raw", "SD, raw", "mean, normalised", "SD, normalised"]
    assert [len(points(axes, row)) for row in range(4)] == [5, 5, 3, 3]
    assert points(axes)[:, 0].tolist() == preparation["mean"].tolist()
    assert all(np.array_equal(points(axes, row), points(again, row)) for row in range(4))
    assert axes.get_xscale() == "symlog"


def test_tick_labels_of_scales_are_plain_numbers(preparation: pd.DataFrame) -> None:
    """Tick labels contain no mark-up, whatever the range of the axis."""
    wide = preparation.assign(std=[1e-9, 1.0, 2e3, 5e6, 0.0], mean=[-4e4, 0.0, 1.0, 7e8, 2.0])
    with style():
        figure = figures.scales(wide)
        figure.canvas.draw()
    labels = texts(figure.axes[0].get_xticklabels())

    assert 3 < len(labels) < 15
    assert [float(label) for label in labels] == sorted(float(label) for label in labels)


def test_correlations_of_hundreds_of_columns_fit_a_page() -> None:
    """Names are left out, since they would be illegible and make the figure a metre wide."""
    names = [f"column{number}" for number in range(figures.NAMED_COLUMNS + 1)]
    r = pd.DataFrame(np.eye(len(names)), columns=[f"r:{name}" for name in names])
    figure = figures.correlations(pd.concat([pd.DataFrame({"feature": names, "dropped": ""}), r], axis=1))

    assert figure is not None
    assert max(figure.get_size_inches()) < 10
    assert texts(figure.axes[0].get_yticklabels()) == []


def test_correlations_are_below_the_diagonal_with_dropped_columns_marked(preparation: pd.DataFrame) -> None:
    """Constant columns have no correlations; without correlations there is no figure."""
    figure = figures.correlations(preparation)

    assert figure is not None

    cells = np.ma.asarray(cast("QuadMesh", figure.axes[0].collections[0]).get_array()).reshape(4, 4)

    assert texts(figure.axes[0].get_yticklabels()) == ["area", "mean", "skew", "double ×"]
    assert cells.mask.tolist() == np.triu(np.ones((4, 4)), 1).astype(bool).tolist()
    assert cells[3, 0] == pytest.approx(1)
    assert cells.min() >= 0
    assert figures.correlations(preparation.filter(regex="^(?!r:)")) is None


def test_figures_are_named_and_leave_no_global_state(
    make_section: Callable[..., Section], preparation: pd.DataFrame
) -> None:
    """There is a confusion matrix for each finished track; global style and pyplot are not changed."""
    section = make_section({"preparation": preparation}, {"track": "lost", "status": "failed", "reason": "oh"})
    style = dict(mpl.rcParams)

    assert set(figures.draw(section)) == {
        "classes", "tracks", "f1-by-size", "good-confusion", "scales", "correlations",
    }  # fmt: skip
    assert dict(mpl.rcParams) == style
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    "taxa", [["29", "3", "1"], ["$\\frac$", "a $x_1$ b", "_hidden"], ["<b>", "Méduse & egg", "a_b"]], ids=str
)
def test_names_are_shown_literally(make_section: Callable[..., Section], taxa: list[str]) -> None:
    """Numbers are accepted as names, and dollar signs do not start formulas."""
    drawn = figures.draw(make_section({"taxa": dict(zip(taxa, (12, 9, 6), strict=True))}))
    for figure in drawn.values():
        figure.canvas.draw()
    labels = [*drawn["classes"].axes[0].get_yticklabels(), *drawn["good-confusion"].axes[0].get_yticklabels()]

    assert [name.replace("\\$", "$") for name in texts(labels)] == taxa * 2
    assert not any(label.get_parse_math() and is_math_text(label.get_text()) for label in labels)
