"""Charts that answer to the pointer: they hold the numbers of the results, and no name is a tag."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.reports.figures.class_size_chart import (
    FEWEST_FOR_A_LINE,
    MEASURES,
    SHOWN_AT_FIRST,
    by_class_size,
    smooth,
)
from planktonbench.reports.figures.forest_chart import forest_chart, forest_rows
from planktonbench.reports.figures.interactive import as_json, confusion, cost, difference, label, pareto_front, tracks

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section

SEVERAL = tuple({"track": f"t{k}", "wrong": k, "predict_seconds": 2.0**k} for k in range(SHOWN_AT_FIRST + 1))


def test_each_run_has_a_mark_and_the_ends_of_its_interval(make_section: Callable[..., Section]) -> None:
    """Within the row of its track."""
    section = make_section({"wrong": 1}, {"seed": 1, "wrong": 4}, {"track": "other", "wrong": 9})
    chart = tracks(section)
    for place, (track, marks) in enumerate(zip(section.done, chart.data, strict=True)):
        values = np.array([score.macro_f1 for score in track.scores])
        low, high = np.array([score.macro_f1_interval for score in track.scores]).T

        assert list(marks.x) == values.tolist()
        assert list(marks.error_x.array) == pytest.approx(high - values)
        assert list(marks.error_x.arrayminus) == pytest.approx(values - low)
        assert all(abs(y - place) < 0.5 for y in marks.y)


def test_the_cost_chart_joins_the_tracks_that_none_beats(make_section: Callable[..., Section]) -> None:
    """Each track has its seconds and score; a slower and worse one is not named."""
    section = make_section(
        {"track": "quick", "wrong": 9, "predict_seconds": 0.1},
        {"track": "slow", "wrong": 1, "predict_seconds": 9.0},
        {"track": "lost", "wrong": 12, "predict_seconds": 20.0},
    )
    chart = cost(section)

    assert chart is not None
    front, marks = chart.data
    assert list(marks.x) == [9.0, 0.1, 20.0]
    assert list(front.x) == [0.1, 9.0]
    assert list(marks.text) == ["slow", "quick", ""]
    assert list(marks.textposition)[:2] == ["top center", "bottom center"]  # never one on the other


def test_without_timing_there_is_no_cost(make_section: Callable[..., Section]) -> None:
    """A logarithm of nothing is not drawn."""
    assert cost(make_section({"predict_seconds": None})) is None


@pytest.mark.parametrize(
    ("costs", "values", "expected"),
    [([1, 2, 3], [1, 2, 3], [0, 1, 2]), ([1, 2, 3], [3, 2, 1], [0]), ([1, 1], [1, 2], [1]), ([2, 1], [5, 5], [1])],
)
def test_the_front_is_of_those_that_none_beats(costs: list[float], values: list[float], expected: list[int]) -> None:
    """Cheaper or better than every other; of equally good ones the cheapest."""
    assert pareto_front(costs, values) == expected


def test_classes_are_drawn_for_each_track_and_measure(make_section: Callable[..., Section]) -> None:
    """Marks and a line for each; a button shows one measure, of the first tracks, and offers the others."""
    section = make_section(*SEVERAL)
    chart = by_class_size(section)
    n = len(section.done)
    (menu,) = chart.layout.updatemenus

    assert len(chart.data) == 2 * n * len(MEASURES)
    assert [one.visible for one in chart.data] == menu.buttons[0].args[0]["visible"]
    for position, (measure, button) in enumerate(zip(MEASURES, menu.buttons, strict=True)):
        shown = [place for place, seen in enumerate(button.args[0]["visible"]) if seen is not False]
        assert shown == list(range(2 * n * position, 2 * n * (position + 1)))
        assert button.args[0]["visible"].count("legendonly") == 2
        assert list(chart.data[shown[0]].y) == section.done[0].per_class[measure].tolist()


def test_smooth_lines_follow_a_straight_one() -> None:
    """LOWESS of a line over the logarithm is the line; sizes rise."""
    sizes = pd.Series([1000, 10, 100, 10_000, 30, 300, 3000, 20, 200, 2000])
    line = smooth(sizes, pd.Series(np.log10(sizes) / 4))

    assert line[:, 0] == pytest.approx(sorted(sizes))
    assert line[:, 1] == pytest.approx(np.log10(line[:, 0]) / 4)


@pytest.mark.parametrize("sizes", [range(1, FEWEST_FOR_A_LINE), [5] * 20, [5] * 20 + list(range(10, 20))])
def test_few_or_equal_sizes_have_no_line(sizes: list[int]) -> None:
    """A line through them would say nothing."""
    assert smooth(pd.Series(list(sizes)), pd.Series([0.5] * len(list(sizes)))).shape == (0, 2)


@pytest.mark.parametrize(("classes", "cell", "font"), [(3, 26, 12), (60, 12, 9)])
def test_a_matrix_has_room_for_each_class(
    make_section: Callable[..., Section], classes: int, cell: int, font: int
) -> None:
    """Small names of many classes; each cell has pixels of its own."""
    chart = confusion(make_section({"taxa": {f"taxon {k:03d}": 3 for k in range(classes)}, "wrong": 0}))

    assert chart.layout.width - chart.layout.margin.l - chart.layout.margin.r == cell * classes
    assert chart.layout.height - chart.layout.margin.t - chart.layout.margin.b == cell * classes
    assert chart.layout.xaxis.tickfont.size == font


def test_names_are_no_tags(make_section: Callable[..., Section]) -> None:
    """Plotly would take <b> for bold."""
    section = make_section(
        {"taxa": {"<b>egg</b>": 60, "Zoea": 30}, "track": "a<br>b"},
        {"track": "x", "taxa": {"<b>egg</b>": 60, "Zoea": 30}},
    )
    charts = [tracks(section), cost(section), by_class_size(section), confusion(section), difference(section)]
    text = json.dumps([as_json(chart) for chart in charts if chart is not None])

    assert label("<b> & c") == "&lt;b&gt; &amp; c"
    assert "<b>egg" not in text
    assert "a<br>b" not in text.replace('"legendgroup": "a<br>b"', "")


def test_a_pair_has_one_sign_on_all_data_sets() -> None:
    """A comparison that stands the other way round is turned, its interval too; other pairs are left out."""
    row = {"split": "holdout.v1", "simulated": False, "verdict": "a"}
    comparisons = pd.DataFrame(
        [
            {"a": "one", "b": "two", "dataset": "bay", "delta": 0.1, "lo": 0.05, "hi": 0.2, **row},
            {"a": "two", "b": "one", "dataset": "lake", "delta": 0.3, "lo": 0.1, "hi": 0.4, **row},
            {"a": "one", "b": "three", "dataset": "bay", "delta": 0.5, "lo": 0.4, "hi": 0.6, **row},
        ]
    )
    rows = forest_rows(comparisons, pd.DataFrame({"a": ["one"], "b": ["two"]}))
    chart = forest_chart(rows)

    assert rows[["dataset", "delta", "lo", "hi"]].to_numpy().tolist() == [
        ["bay", 0.1, 0.05, 0.2], ["lake", -0.3, -0.4, -0.1],
    ]  # fmt: skip
    assert list(chart.data[0].error_x.array) == pytest.approx([0.1, 0.2])
    assert list(chart.layout.yaxis.ticktext) == ["one − two<br>bay · holdout.v1", "one − two<br>lake · holdout.v1"]


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_data_are_told_on_each_chart(make_section: Callable[..., Section], *, simulated: bool) -> None:
    """Whoever copies a chart takes the words along."""
    section = make_section({"simulated": simulated})
    for chart in (tracks(section), by_class_size(section), confusion(section), difference(section)):
        assert ("simulated data" in chart.to_json()) is simulated
