"""Interactive forest plot: the difference between two tracks on each data set on which both were run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .interactive import GRID, LINE, label, new_chart
from .style import ACCENT, INK

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_ROWS = 40


def forest_rows(comparisons: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons of each pair over data sets, all in the same direction.

    Args:
        comparisons: from `leaderboard.comparisons_table`.
        pairs: from `over_datasets.over_datasets`; their order and direction are kept.

    Returns:
        Columns a, b, dataset, split, simulated, delta, lo, hi, verdict; at most `MOST_ROWS`.

    """
    columns = ["a", "b", "dataset", "split", "simulated", "delta", "lo", "hi", "verdict"]
    same = comparisons[columns]
    swapped = same.rename(columns={"a": "b", "b": "a", "lo": "hi", "hi": "lo"})
    swapped[["delta", "lo", "hi"]] *= -1
    both = pd.concat([same, swapped])
    return pairs[["a", "b"]].merge(both, on=["a", "b"])[columns].head(MOST_ROWS)


def forest_chart(rows: pd.DataFrame) -> go.Figure:
    """Show differences in macro F1 with paired intervals; a marker is filled if the methods differ.

    Args:
        rows: from `forest_rows`.

    """
    n = len(rows)
    chart = new_chart(simulated=bool(rows["simulated"].any()), height=110 + 30 * n, showlegend=False)
    names = [
        f"{label(str(row.a))} − {label(str(row.b))}<br>{label(str(row.dataset))} · {label(str(row.split))}"
        for row in rows.itertuples()
    ]
    tie = rows["verdict"] == "tie"
    chart.add_scatter(
        x=rows["delta"],
        y=np.arange(n),
        mode="markers",
        marker={"size": 9, "color": np.where(tie, "white", ACCENT), "line": {"color": ACCENT, "width": 1.5}},
        error_x={
            "array": rows["hi"] - rows["delta"],
            "arrayminus": rows["delta"] - rows["lo"],
            "color": LINE,
            "width": 0,
        },
        hovertext=[
            f"{name}<br>difference {delta:+.3f} (95 % CI {low:+.3f} to {high:+.3f})"
            for name, delta, low, high in zip(names, rows["delta"], rows["lo"], rows["hi"], strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    chart.update_yaxes(tickvals=list(range(n)), ticktext=names, range=[n - 0.5, -0.5], zeroline=False, gridcolor=GRID)
    chart.update_xaxes(title="difference in macro F1 (paired 95 % CI)", zerolinecolor=INK)
    return chart
