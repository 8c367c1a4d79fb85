"""Export of the leaderboard as CSV, as a LaTeX table with booktabs and as a Markdown table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..comparisons.leaderboard import Standing
    from ..results.section import Section

LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--",
    }
)  # fmt: skip
DIGITS = {
    "macro_f1": 3,
    "macro_f1_seen": 3,
    "lo": 3,
    "hi": 3,
    "accuracy": 3,
    "fit_seconds": 1,
    "predict_seconds": 2,
    "peak_rss_mb": 0,
}
TITLES = {
    "letters": "Letters", "track": "Method", "macro_f1": "Macro F1", "interval": "95 % CI",
    "macro_f1_seen": "Macro F1 without withheld classes", "accuracy": "Accuracy",
    "fit_seconds": "Training (s)", "predict_seconds": "Prediction (s)", "peak_rss_mb": "Memory (MB)", "runs": "Runs",
}  # fmt: skip

TEXT = {TITLES["letters"], TITLES["track"]}


def leaderboard(section: Section, standings: Mapping[str, Standing]) -> pd.DataFrame:
    """Return the leaderboard with one row for each track, best first; values are means over runs.

    Scores of compared tracks are means over the runs on which they are compared. Those of other tracks, and costs, are
    means over all finished runs.

    Args:
        section: the results, with compared tracks first.
        standings: standing of each compared track.

    Returns:
        Columns letters, track, macro_f1, lo, hi (missing for tracks that were not compared), macro_f1_seen (only if
        classes are withheld), accuracy, fit_seconds, predict_seconds, peak_rss_mb (of a fusion including its base
        models), runs (number of those with these scores); NaN where not measured.

    """
    rows = []
    for track in section.tracks:
        standing = standings.get(track.name)
        low, high = standing.interval if standing else (math.nan, math.nan)
        rows.append(
            {
                "letters": standing.letters if standing else "–",
                "track": track.name,
                "macro_f1": standing.macro_f1 if standing else track.macro_f1,
                "lo": low,
                "hi": high,
                **({"macro_f1_seen": track.macro_f1_seen} if section.withheld else {}),
                "accuracy": standing.accuracy if standing else track.accuracy,
                "fit_seconds": track.fit_seconds,
                "predict_seconds": track.predict_seconds,
                "peak_rss_mb": track.peak_rss_mb,
                "runs": standing.n_runs if standing else len(track.scores),
            }
        )
    return pd.DataFrame(rows)


def write_leaderboard(table: pd.DataFrame, folder: Path, name: str) -> None:
    """Write the leaderboard in full precision as `<name>.csv`, and rounded as `<name>.tex` and `<name>.md`."""
    table.to_csv(folder / f"{name}.csv", index=False)
    titles, rows = rounded(table)
    (folder / f"{name}.tex").write_text(as_latex(titles, rows), encoding="utf-8")
    (folder / f"{name}.md").write_text(as_markdown(titles, rows), encoding="utf-8")


def rounded(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return column titles and rounded cells of the leaderboard as text; missing values are a dash."""
    texts = pd.DataFrame(
        {name: [_cell(value, DIGITS.get(name)) for value in table[name]] for name in table.columns}, dtype=object
    )
    ends = [f"{low} – {high}" if low != "–" else "–" for low, high in zip(texts["lo"], texts["hi"], strict=True)]
    texts = texts.assign(lo=ends).rename(columns={"lo": "interval"}).drop(columns="hi")
    return [TITLES[name] for name in texts.columns], texts.to_numpy().tolist()


def _cell(value: object, digits: int | None) -> str:
    if value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return f"{value:,.{digits}f}" if isinstance(value, float) and digits is not None else str(value)


def escaped(text: str) -> str:
    """Escape a text for LaTeX."""
    return text.translate(LATEX)


def as_latex(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    r"""Return a LaTeX table with booktabs, methods aligned left and numbers right.

    >>> print(as_latex(["Method", "F1"], [["a_b", "0.5"]]), end="")
    \begin{tabular}{lr}
    \toprule
    Method & F1 \\
    \midrule
    a\_b & 0.5 \\
    \bottomrule
    \end{tabular}
    """
    columns = "".join("l" if title in TEXT else "r" for title in titles)
    head, *body = (" & ".join(map(escaped, row)) + r" \\" for row in [titles, *rows])
    lines = [
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        head,
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def as_markdown(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, methods aligned left and numbers right.

    >>> print(as_markdown(["Method", "F1"], [["a", "0.5"]]), end="")
    | Method | F1 |
    |---|--:|
    | a | 0.5 |
    """
    rule = "|" + "|".join("---" if title in TEXT else "--:" for title in titles) + "|"
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in [titles, *rows]]
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"
