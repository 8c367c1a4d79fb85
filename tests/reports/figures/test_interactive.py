"""Interactive charts: plotted values and escaping of names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.reports.figures.class_size_chart import (
    MEASURES,
    MIN_CLASSES_FOR_LINE,
    SHOWN_AT_FIRST,
    by_class_size,
    smooth,
)
from planktonbench.reports.figures.forest_chart import forest_chart, forest_rows
from planktonbench.reports.figures.interactive import as_json, confusion, cost, difference, label, pareto_front, tracks

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.comparisons.leaderboard import Standing
    from planktonbench.reports.results.section import Section

SEVERAL = tuple({"track": f"t{k}", "wrong": k, "predict_seconds": 2.0**k} for k in range(SHOWN_AT_FIRST + 1))


def test_each_run_has_a_marker_and_an_interval(make_section: Callable[..., Section]) -> None:
    """They are drawn in the row of the track."""
    section = make_section({"wrong": 1}, {"seed": 1, "wrong": 4}, {"track": "other", "wrong": 9})
    chart = tracks(section)
    for row, (track, markers) in enumerate(zip(section.done, chart.data, strict=True)):
        values = np.array([score.macro_f1 for score in track.scores])
        low, high = np.array([score.macro_f1_interval for score in track.scores]).T

        assert list(markers.x) == values.tolist()
        assert list(markers.error_x.array) == pytest.approx(high - values)
        assert list(markers.error_x.arrayminus) == pytest.approx(values - low)
        assert all(abs(y - row) < 0.5 for y in markers.y)


def test_the_cost_chart_has_the_pareto_front(
    make_section: Callable[..., Section], make_standing: Callable[..., Standing]
) -> None:
    """Each track has a marker, with mean and interval of the compared runs if it was compared; the front is named."""
    section = make_section(
        {"track": "quick", "wrong": 9, "predict_seconds": 0.1},
        {"track": "slow", "wrong": 1, "predict_seconds": 9.0},
        {"track": "lost", "wrong": 12, "predict_seconds": 20.0},
    )
    chart = cost(section, {"slow": make_standing(macro_f1=0.93, interval=(0.81, 0.99))})

    assert chart is not None
    front, markers = chart.data
    assert list(markers.x) == [9.0, 0.1, 20.0]
    assert list(front.x) == [0.1, 9.0]
    assert list(markers.y) == [0.93, *(track.macro_f1 for track in section.done[1:])]
    assert list(markers.error_y.array) == pytest.approx([0.99 - 0.93, np.nan, np.nan], nan_ok=True)
    assert list(markers.error_y.arrayminus) == pytest.approx([0.93 - 0.81, np.nan, np.nan], nan_ok=True)
    assert "macro F1 0.930 (95 % CI 0.810–0.990)" in markers.hovertext[0]
    assert "CI" not in markers.hovertext[1]
    assert list(markers.text) == ["slow", "quick", ""]
    assert list(markers.textposition)[:2] == ["top center", "bottom center"]  # so that names do not overlap


def test_without_timing_there_is_no_cost_chart(make_section: Callable[..., Section]) -> None:
    """Tracks without times are not drawn."""
    assert cost(make_section({"predict_seconds": None}), {}) is None


@pytest.mark.parametrize(
    ("costs", "values", "expected"),
    [([1, 2, 3], [1, 2, 3], [0, 1, 2]), ([1, 2, 3], [3, 2, 1], [0]), ([1, 1], [1, 2], [1]), ([2, 1], [5, 5], [1])],
)
def test_the_pareto_front_has_the_undominated_entries(
    costs: list[float], values: list[float], expected: list[int]
) -> None:
    """Among equally good entries only the cheapest is on the front."""
    assert pareto_front(costs, values) == expected


def test_classes_are_drawn_for_each_track_and_measure(make_section: Callable[..., Section]) -> None:
    """Each has markers and a line; a button shows one measure for the first tracks, and others in the legend."""
    section = make_section(*SEVERAL)
    chart = by_class_size(section)
    n = len(section.done)
    (menu,) = chart.layout.updatemenus

    assert len(chart.data) == 2 * n * len(MEASURES)
    assert [one.visible for one in chart.data] == menu.buttons[0].args[0]["visible"]
    for position, (measure, button) in enumerate(zip(MEASURES, menu.buttons, strict=True)):
        shown = [trace for trace, visible in enumerate(button.args[0]["visible"]) if visible is not False]
        assert shown == list(range(2 * n * position, 2 * n * (position + 1)))
        assert button.args[0]["visible"].count("legendonly") == 2
        assert list(chart.data[shown[0]].y) == section.done[0].per_class[measure].tolist()


def test_the_smooth_line_reproduces_a_straight_line() -> None:
    """LOWESS of a linear function of the logarithm is this function; sizes are sorted."""
    sizes = pd.Series([1000, 10, 100, 10_000, 30, 300, 3000, 20, 200, 2000])
    line = smooth(sizes, pd.Series(np.log10(sizes) / 4))

    assert line[:, 0] == pytest.approx(sorted(sizes))
    assert line[:, 1] == pytest.approx(np.log10(line[:, 0]) / 4)


@pytest.mark.parametrize("sizes", [range(1, MIN_CLASSES_FOR_LINE), [5] * 20, [5] * 20 + list(range(10, 20))])
def test_few_or_equal_sizes_have_no_line(sizes: list[int]) -> None:
    """A line is drawn only if there are enough classes of different size."""
    assert smooth(pd.Series(list(sizes)), pd.Series([0.5] * len(list(sizes)))).shape == (0, 2)


@pytest.mark.parametrize(("classes", "cell", "font"), [(3, 26, 12), (60, 12, 9)])
def test_the_matrix_grows_with_the_number_of_classes(
    make_section: Callable[..., Section], classes: int, cell: int, font: int
) -> None:
    """Cells have a fixed size; names are smaller if there are many classes."""
    chart = confusion(make_section({"taxa": {f"taxon {k:03d}": 3 for k in range(classes)}, "wrong": 0}))

    assert chart.layout.width - chart.layout.margin.l - chart.layout.margin.r == cell * classes
    assert chart.layout.height - chart.layout.margin.t - chart.layout.margin.b == cell * classes
    assert chart.layout.xaxis.tickfont.size == font


def test_names_are_escaped(make_section: Callable[..., Section], make_standing: Callable[..., Standing]) -> None:
    """Plotly would interpret <b> as bold."""
    section = make_section(
        {"taxa": {"<b>egg</b>": 60, "Zoea": 30}, "track": "a<br>b"},
        {"track": "x", "taxa": {"<b>egg</b>": 60, "Zoea": 30}},
    )
    charts = [
        tracks(section),
        cost(section, {"a<br>b": make_standing()}),
        by_class_size(section),
        confusion(section),
        difference(section),
    ]
    text = json.dumps([as_json(chart) for chart in charts if chart is not None])

    assert label("<b> & c") == "&lt;b&gt; &amp; c"
    assert "<b>egg" not in text
    assert "a<br>b" not in text.replace('"legendgroup": "a<br>b"', "")


def test_a_pair_has_the_same_direction_on_all_data_sets() -> None:
    """Comparisons in the other direction are negated with their interval; other pairs are left out."""
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
def test_simulated_data_are_marked_on_each_chart(make_section: Callable[..., Section], *, simulated: bool) -> None:
    """The label is part of the chart, so that copies have it, too."""
    section = make_section({"simulated": simulated})
    for chart in (tracks(section), by_class_size(section), confusion(section), difference(section)):
        assert ("simulated data" in chart.to_json()) is simulated
