"""Interactive charts, made with Plotly: values on hover, zoom and selection.

The seaborn figures of `section_figures` show the same in print and without scripts.
"""

from __future__ import annotations

import html
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from .style import ACCENT, INK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..comparisons.leaderboard import Standing
    from ..results.section import Section, TrackResult

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'
GRID, LINE, GREY = "#e4ecf0", "#8fb3c2", "#8a99a3"
COUNTS = [(0.0, "#d5e3e9"), (0.5, "#2b86a5"), (1.0, "#10222c")]
"""Colour scale of counts, from one object to the largest count of a matrix."""
BY_SIZE = {"title": "objects per class (log scale)", "type": "log", "dtick": 1}
"""The axis of class sizes."""
LARGE_UP_TO = 15  # classes; with more, names are written small
CELL = {True: 26, False: 12}  # pixels of a cell of the matrix, with large and with small names
FONT_SIZE = {True: 12, False: 9}  # pixels
WIDTH_OF_LETTER = 0.62  # average, as a fraction of the font size


def label(name: str) -> str:
    """Escape a name for a chart, since Plotly interprets some HTML tags in texts."""
    return html.escape(name, quote=False)


def as_json(chart: go.Figure) -> dict[str, Any]:
    """Return a chart as JSON values for the page."""
    plain: dict[str, Any] = json.loads(chart.to_json())
    return plain


def new_chart(*, simulated: bool, height: int, **layout: object) -> go.Figure:
    """Return an empty chart in the common style, labelled if the data are simulated; the height is in pixels."""
    chart = go.Figure()
    chart.update_layout(
        template="none",
        font={"family": FONT, "size": 13, "color": INK},
        height=height,
        margin={"l": 60, "r": 20, "t": 30, "b": 50},
        hovermode="closest",
        hoverlabel={"bgcolor": "white", "font": {"color": INK}, "align": "left"},
        legend={"orientation": "h", "y": -0.2, "yanchor": "top"},
    )
    chart.update_layout(**layout)
    for update in (chart.update_xaxes, chart.update_yaxes):
        update(gridcolor=GRID, zerolinecolor=GRID, linecolor=LINE, automargin=True, title={"standoff": 12})
    if simulated:
        corner = {"x": 0, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
        chart.add_annotation(text="simulated data", showarrow=False, font={"size": 11}, **corner)
    return chart


def tracks(section: Section) -> go.Figure:
    """Show macro F1 of each run with its interval, tracks in the order of the leaderboard."""
    n = len(section.done)
    chart = new_chart(simulated=section.simulated, height=110 + 34 * n, showlegend=False)
    for row, track in enumerate(section.done):
        _add_runs(chart, track, row)
    names = [label(track.name) for track in section.done]
    chart.update_yaxes(tickvals=list(range(n)), ticktext=names, range=[n - 0.5, -0.5], showgrid=False, zeroline=False)
    chart.update_xaxes(title="macro F1 of each run (95 % CI)", rangemode="tozero")
    return chart


def _add_runs(chart: go.Figure, track: TrackResult, row: int) -> None:
    """Add the runs of a track, spread vertically around its row."""
    done = [(run.card, run.score) for run in track.runs if run.score is not None]
    values = np.array([score.macro_f1 for _, score in done])
    ends = np.array([score.macro_f1_interval for _, score in done])
    offsets = (np.arange(len(done)) - (len(done) - 1) / 2) * min(0.18, 0.7 / len(done))
    chart.add_scatter(
        x=values,
        y=row + offsets,
        mode="markers",
        marker={"color": ACCENT, "size": 8},
        error_x={"array": ends[:, 1] - values, "arrayminus": values - ends[:, 0], "color": LINE, "width": 0},
        hovertext=[
            f"<b>{label(track.name)}</b><br>{label(card.split.name)}, seed {card.split.seed}<br>"
            f"macro F1 {value:.3f} (95 % CI {low:.3f}–{high:.3f})"
            for (card, _), value, (low, high) in zip(done, values, ends, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def cost(section: Section, standings: Mapping[str, Standing]) -> go.Figure | None:
    """Show macro F1 against prediction time, with the Pareto front.

    The time of a fusion includes that of its base models. None if no track was timed.

    Args:
        section: the results.
        standings: standing of each compared track, with its macro F1 and interval.

    """
    timed = [track for track in section.done if track.predict_seconds > 0]
    if not timed:
        return None
    chart = new_chart(simulated=section.simulated, height=420, showlegend=False)
    found = [standings.get(track.name) for track in timed]
    x = [track.predict_seconds for track in timed]
    y = [one.macro_f1 if one else track.macro_f1 for track, one in zip(timed, found, strict=True)]
    front = pareto_front(x, y)
    named = {one: ("top center", "bottom center")[rank % 2] for rank, one in enumerate(reversed(front))}
    low, high = np.array([one.interval if one else (math.nan, math.nan) for one in found]).T
    steps = {"color": LINE, "shape": "hv", "dash": "dot"}
    chart.add_scatter(
        x=[x[one] for one in front], y=[y[one] for one in front], mode="lines", line=steps, hoverinfo="skip"
    )
    chart.add_scatter(
        x=x,
        y=y,
        mode="markers+text",
        text=[label(track.name) if position in named else "" for position, track in enumerate(timed)],
        textposition=[named.get(position, "top center") for position in range(len(timed))],  # neighbours alternate
        marker={"color": [ACCENT if position in named else GREY for position in range(len(timed))], "size": 10},
        error_y={"array": high - y, "arrayminus": y - low, "color": LINE, "thickness": 1.2, "width": 0},
        hovertext=[_cost_hover_text(*one) for one in zip(timed, y, found, strict=True)],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    chart.update_xaxes(title="prediction time in s, mean over runs (log scale)", type="log", dtick=1)
    chart.update_yaxes(title="macro F1", rangemode="tozero")
    return chart


def _cost_hover_text(track: TrackResult, macro_f1: float, standing: Standing | None) -> str:
    interval = f" (95 % CI {standing.interval[0]:.3f}–{standing.interval[1]:.3f})" if standing else ""
    return (
        f"<b>{label(track.name)}</b><br>macro F1 {macro_f1:.3f}{interval}<br>"
        f"prediction {track.predict_seconds:.3g} s, training {track.fit_seconds:.3g} s, "
        f"peak memory {track.peak_rss_mb:,.0f} MB"
    )


def pareto_front(costs: list[float], values: list[float]) -> list[int]:
    """Return the positions of the Pareto-optimal entries (low cost, high value), the cheapest first.

    >>> pareto_front([3.0, 1.0, 2.0, 4.0], [0.9, 0.5, 0.4, 0.9])
    [1, 0]
    """
    front: list[int] = []
    for position in sorted(range(len(costs)), key=lambda position: (costs[position], -values[position])):
        if not front or values[position] > values[front[-1]]:
            front.append(position)
    return front


def confusion(section: Section) -> go.Figure:
    """Return an empty confusion matrix; the script of the page fills in the chosen track and class order."""
    names, few = section.class_sizes.index, len(section.class_sizes) <= LARGE_UP_TO
    side = CELL[few] * len(names)
    labels = 45 + round(WIDTH_OF_LETTER * FONT_SIZE[few] * max(len(str(name)) for name in names))
    margin = {"l": labels, "r": 90, "t": 30, "b": labels, "autoexpand": False}
    chart = new_chart(simulated=section.simulated, height=side + labels + 30, width=side + labels + 90, margin=margin)
    colorbar = {"title": {"text": "objects", "side": "right"}, "thickness": 12, "len": 0.6}
    chart.add_heatmap(
        z=[], colorscale=COUNTS, hoverongaps=False, colorbar=colorbar, hovertemplate="%{text}<extra></extra>"
    )
    ticks = {
        "type": "category",
        "tickfont": {"size": FONT_SIZE[few]},
        "ticks": "",
        "automargin": False,
        "showgrid": few,
    }
    chart.update_xaxes(title="predicted taxon", tickangle=-90, **ticks)
    chart.update_yaxes(title="true taxon", autorange="reversed", **ticks)
    return chart


def difference(section: Section) -> go.Figure:
    """Return an empty chart of the difference in F1 by class; the script of the page fills in the two chosen tracks."""
    chart = new_chart(simulated=section.simulated, height=440, showlegend=False)
    marker = {"color": ACCENT, "size": 8, "opacity": 0.7}
    chart.add_scatter(x=[], y=[], mode="markers", marker=marker, hovertemplate="%{text}<extra></extra>")
    chart.update_xaxes(BY_SIZE)
    chart.update_yaxes(title="difference in F1 (first − second track)", zerolinecolor=INK)
    return chart
