"""How well classes are recognised by how large they are: marks for classes, a smooth line for each track."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import seaborn as sns
from statsmodels.nonparametric.smoothers_lowess import lowess

from .interactive import BY_SIZE, label, new_chart

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from ..results.section import Section, TrackResult

SHOWN_AT_FIRST = 4  # tracks; the reader adds others in the legend
FEWEST_FOR_A_LINE = 10  # classes; a smooth line through fewer follows each of them
WINDOW = 2 / 3  # of the classes
MEASURES = {"f1": "F1", "precision": "precision", "recall": "recall"}
SYMBOLS = ("circle", "diamond", "square", "cross", "x", "triangle-up")
COLOURS = 10  # of the palette


def by_class_size(section: Section) -> go.Figure:
    """Show F1, precision or recall of each class against its size with a LOWESS line for each track.

    As figures 3 and 4 of Schröder et al. 2018 (Low-shot learning of plankton categories, GCPR) show precision and
    recall.
    """
    figure = new_chart(simulated=section.simulated, height=520)
    for measure in MEASURES:
        for place, track in enumerate(section.done):
            _add_track(figure, section, track, measure, place)
    figure.update_layout(updatemenus=[_menu(len(section.done))], margin={"t": 60})
    figure.update_xaxes(BY_SIZE)
    figure.update_yaxes(title="F1", range=[-0.03, 1.03])
    return figure


def _add_track(figure: go.Figure, section: Section, track: TrackResult, measure: str, place: int) -> None:
    """Add a track's marks and its line."""
    table = track.per_class.assign(objects=lambda rows: rows["taxon"].map(section.class_sizes))
    line = smooth(table["objects"], table[measure])
    colour = sns.color_palette("colorblind", COLOURS).as_hex()[place % COLOURS]
    look = {"name": label(track.name), "legendgroup": track.name, "visible": _visible(measure, "f1", place)}
    figure.add_scatter(
        x=table["objects"],
        y=table[measure],
        mode="markers",
        marker={"color": colour, "symbol": SYMBOLS[place % len(SYMBOLS)], "opacity": 0.55, "size": 7},
        hovertext=_texts(table, track.name),
        hovertemplate="%{hovertext}<extra></extra>",
        **look,
    )
    line_look = {"color": colour, "width": 2.5}
    figure.add_scatter(
        x=line[:, 0], y=line[:, 1], mode="lines", line=line_look, hoverinfo="skip", showlegend=False, **look
    )


def _texts(table: pd.DataFrame, track: str) -> list[str]:
    return [
        f"<b>{label(str(row.taxon))}</b>, {label(track)}<br>F1 {row.f1:.3f}, precision {row.precision:.3f}, "
        f"recall {row.recall:.3f}<br>{row.objects:,} objects, {row.support:,} of them scored"
        for row in table.itertuples()
    ]


def _visible(measure: str, wanted: str, place: int) -> bool | str:
    """Tell whether a trace is drawn; one in the legend alone can be added by a click."""
    if measure != wanted:
        return False
    return True if place < SHOWN_AT_FIRST else "legendonly"


def _menu(n_tracks: int) -> dict[str, Any]:
    """Return the buttons that choose the measure; marks and line of a track are seen together."""
    places = [(measure, place) for measure in MEASURES for place in range(n_tracks) for _ in ("marks", "line")]
    shown = {wanted: [_visible(measure, wanted, place) for measure, place in places] for wanted in MEASURES}
    buttons = [
        {"label": words, "method": "update", "args": [{"visible": shown[measure]}, {"yaxis.title.text": words}]}
        for measure, words in MEASURES.items()
    ]
    look = {"type": "buttons", "direction": "right", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"}
    return {"buttons": buttons, **look}


def smooth(sizes: pd.Series, values: pd.Series) -> NDArray[np.float64]:
    """Return the LOWESS line of values over the logarithm of sizes.

    Cleveland 1979, doi:10.1080/01621459.1979.10481038: two thirds of the classes at a time, three robust rounds.

    Returns:
        Size and value, shape (n, 2), sorted by size; no rows with fewer than `FEWEST_FOR_A_LINE` classes, or when so
        many are of one size that a window holds no other.

    """
    if len(sizes) < FEWEST_FOR_A_LINE or sizes.value_counts().max() >= int(WINDOW * len(sizes)):
        return np.empty((0, 2))
    found = lowess(values.to_numpy(np.float64), np.log10(sizes.to_numpy(np.float64)), frac=WINDOW)
    line: NDArray[np.float64] = np.unique(np.column_stack([10 ** found[:, 0], found[:, 1]]), axis=0)
    return line[~np.isnan(line).any(axis=1)]
