"""Scores per class against class size: a marker for each class and a smooth line for each track."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .interactive import BY_SIZE, label, new_chart

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from ..results.section import Section, TrackResult

SHOWN_AT_FIRST = 4  # tracks; the legend adds the others
MIN_CLASSES_FOR_LINE = 10  # a smooth line through fewer would follow each of them
WINDOW = 2 / 3  # share of the classes
MEASURES = {"f1": "F1", "precision": "precision", "recall": "recall"}
SYMBOLS = ("circle", "diamond", "square", "cross", "x", "triangle-up")
COLOURS = 10  # in the palette


def by_class_size(section: Section) -> go.Figure:
    """Show F1, precision or recall of each class against its size, with a LOWESS line for each track.

    Figures 3 and 4 of Schröder et al. 2018 (Low-shot learning of plankton categories, GCPR) show precision and recall
    in this way.
    """
    figure = new_chart(simulated=section.simulated, height=520)
    for measure in MEASURES:
        for position, track in enumerate(section.done):
            _add_track(figure, section, track, measure, position)
    figure.update_layout(updatemenus=[_menu(len(section.done))], margin={"t": 60})
    figure.update_xaxes(BY_SIZE)
    figure.update_yaxes(title="F1", range=[-0.03, 1.03])
    return figure


def _add_track(figure: go.Figure, section: Section, track: TrackResult, measure: str, position: int) -> None:
    """Add the markers and the line of a track."""
    import seaborn as sns

    table = track.per_class.assign(objects=lambda rows: rows["taxon"].map(section.class_sizes))
    line = smooth(table["objects"], table[measure])
    colour = sns.color_palette("colorblind", COLOURS).as_hex()[position % COLOURS]
    common = {"name": label(track.name), "legendgroup": track.name, "visible": _visible(measure, "f1", position)}
    figure.add_scatter(
        x=table["objects"],
        y=table[measure],
        mode="markers",
        marker={"color": colour, "symbol": SYMBOLS[position % len(SYMBOLS)], "opacity": 0.55, "size": 7},
        hovertext=_hover_texts(table, track.name),
        hovertemplate="%{hovertext}<extra></extra>",
        **common,
    )
    line_style = {"color": colour, "width": 2.5}
    figure.add_scatter(
        x=line[:, 0], y=line[:, 1], mode="lines", line=line_style, hoverinfo="skip", showlegend=False, **common
    )


def _hover_texts(table: pd.DataFrame, track: str) -> list[str]:
    return [
        f"<b>{label(str(row.taxon))}</b>, {label(track)}<br>F1 {row.f1:.3f}, precision {row.precision:.3f}, "
        f"recall {row.recall:.3f}<br>{row.objects:,} objects, {row.support:,} test objects over all runs"
        for row in table.itertuples()
    ]


def _visible(measure: str, wanted: str, position: int) -> bool | str:
    """Return Plotly's visibility of a trace; one that is only in the legend is added by a click."""
    if measure != wanted:
        return False
    return True if position < SHOWN_AT_FIRST else "legendonly"


def _menu(n_tracks: int) -> dict[str, Any]:
    """Return the buttons that choose the measure; markers and line of a track appear together."""
    traces = [(measure, track) for measure in MEASURES for track in range(n_tracks) for _ in ("markers", "line")]
    shown = {wanted: [_visible(measure, wanted, track) for measure, track in traces] for wanted in MEASURES}
    buttons = [
        {"label": title, "method": "update", "args": [{"visible": shown[measure]}, {"yaxis.title.text": title}]}
        for measure, title in MEASURES.items()
    ]
    layout = {"type": "buttons", "direction": "right", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"}
    return {"buttons": buttons, **layout}


def smooth(sizes: pd.Series, values: pd.Series) -> NDArray[np.float64]:
    """Return the LOWESS line of values over the logarithm of sizes.

    Cleveland 1979, doi:10.1080/01621459.1979.10481038: windows of two thirds of the classes, three robustifying
    iterations.

    Returns:
        Size and value, shape (n, 2), sorted by size; no rows if there are fewer than `MIN_CLASSES_FOR_LINE` classes, or
        if so many have the same size that a window holds no other size.

    """
    from statsmodels.nonparametric.smoothers_lowess import lowess

    if len(sizes) < MIN_CLASSES_FOR_LINE or sizes.value_counts().max() >= int(WINDOW * len(sizes)):
        return np.empty((0, 2))
    smoothed = lowess(values.to_numpy(np.float64), np.log10(sizes.to_numpy(np.float64)), frac=WINDOW)
    line: NDArray[np.float64] = np.unique(np.column_stack([10 ** smoothed[:, 0], smoothed[:, 1]]), axis=0)
    return line[~np.isnan(line).any(axis=1)]
