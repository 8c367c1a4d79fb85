"""Findings of a paper one by one: whether each holds in the stored runs, with a paired interval."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from ...data_manifests.errors import listed
from ..comparisons.common_runs import common_runs, run_key
from ..comparisons.comparison import SMALLEST_P
from ..comparisons.findings import evaluated
from ..comparisons.leaderboard import CLAIMS
from ..results.section import sections_of, tracks_by_method
from .analysis import Analysis

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from ..comparisons.all_pairs import AllPairs
    from ..comparisons.common_runs import CommonRuns
    from ..comparisons.findings import EvaluatedFinding, Published, PublishedFinding, RunFinding, Verdict
    from ..comparisons.paired_evaluation import PairedEvaluation
    from ..results.section import Section, TrackResult
    from ..results.stored_run import StoredRun

COLUMNS = (
    "dataset", "simulated", "split", "finding", "score", "a", "b", "value_a", "value_b", "value", "lo", "hi", "side",
    "bound", "p_value", "p_holm", "verdict", "claim", "n_runs", "design", "n_clusters", "resampled", "published",
    "reason",
)  # fmt: skip
NOT_TESTED: Verdict = "not tested"
NO_BREAK = "\u00a0"
EQUAL = 0.02
"""Margin of findings that methods are about equally good: a smaller difference counts as none.

Scores that the papers call similar differ by up to 0.042 (mi+ft and ri+ft) and 0.030 (figure 3b of source 003).
"""
RATIO = "ratio of "
"""Beginning of the name of a score that is a ratio instead of a difference."""
OVER_RUNS = (
    "Numbers of a run that are not scores, such as its training time, are compared over runs, if there are several: "
    "their intervals contain the variation over runs only, and their p-values do not enter Holm's correction."
)


class PaperFindings(Analysis):
    """Findings of one paper. Set the attributes, and implement the scores that findings are about.

    Attributes:
        methods: names of the paper's methods, all of which enter the moderation of variances over runs.
        findings: the findings, which are tested together with Holm's correction.
        published: scores in the paper.

    """

    row_title = "finding"
    methods: ClassVar[tuple[str, ...]]
    findings: ClassVar[tuple[PublishedFinding, ...]]
    published: ClassVar[Published]

    @abstractmethod
    def scores(self, runs: CommonRuns, evaluation: PairedEvaluation) -> dict[str, AllPairs] | str:
        """Return the scores of the methods, by the names that findings use, or the reason why there are none.

        Args:
            runs: the runs that the methods have in common.
            evaluation: the evaluation of these runs.

        """

    def over_runs(self, tracks: Mapping[str, TrackResult]) -> list[RunFinding]:  # noqa: ARG002 - for others
        """Return findings on numbers of whole runs, from the finished tracks of the methods."""
        return []

    def applies(self, section: Section) -> bool:
        """Return whether a section has runs of the methods of at least one finding."""
        found = set(tracks_by_method(section, self.methods))
        return any(set(finding.methods) <= found for finding in self.findings)

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Test the findings in each section that has runs of the methods of at least one of them.

        Returns:
            One row for each finding, with `COLUMNS`. `value` is the difference of the scores of `a` and `b`, or the
            score of `a` if there is no `b`, mean over the runs that the methods have in common, with the 95 % interval
            `lo` to `hi` of the paired jackknife over units and of the variation over runs (`comparisons.AllPairs`).
            `p_value` is that of the `bound`, which is 0 except for findings with a margin, and `p_holm` is adjusted
            for all tested findings. `verdict` is `holds` or `does not hold` if `p_holm` is at most 0.05, depending on
            the `side` of the bound, else `inconclusive`; it is empty, with a `reason`, for findings without runs, and
            `not tested` for numbers of runs (`comparisons.findings.RunFinding`) if there is one run. These have
            intervals over runs alone, a `p_value` without `p_holm`, and a `reason`. `claim` states whether it is about
            the methods or, with one run, about the fitted models. `published` lists the values in the paper.

        """
        rows = [row for section in sections_of(list(runs)) if self.applies(section) for row in self._rows(section)]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return value, interval, p-value and verdict of the findings with runs, as text."""
        known = rows[rows["verdict"] != ""]
        records = known.to_dict("records")
        columns = {
            "measure": [_measure(row) for row in records],
            "value [95 % CI]": [_interval(row) for row in records],
            "p (Holm)": known["p_holm"].astype(float).map(_p_value).to_numpy(),
            "verdict": known["verdict"].to_numpy(),
            "in the paper": [text.replace(" ", NO_BREAK).replace(f";{NO_BREAK}", "; ") for text in known["published"]],
        }
        return pd.DataFrame(columns, index=known["finding"].to_numpy())

    def remarks(self, section: Section, rows: pd.DataFrame) -> list[str]:  # noqa: ARG002 - the rows have everything
        """Return what the verdicts are about, what numbers of whole runs are, and which findings lack runs."""
        verdicts = rows[rows["p_holm"].notna()]
        sentences = [CLAIMS[claim] for claim in verdicts["claim"].unique()]
        over_runs = rows[(rows["verdict"] != "") & rows["p_holm"].isna()]
        sentences += [f"{row['finding']}: {row['reason']}." for row in over_runs.to_dict("records")]
        missing = rows[rows["verdict"] == ""].groupby("reason", sort=False).size()
        if len(missing):
            reasons = "; ".join(f"{reason} ({number:,})" for reason, number in missing.items())
            sentences.append(f"{missing.sum():,} of {len(rows):,} findings are not shown: {reasons}.")
        return sentences

    def _rows(self, section: Section) -> Iterable[dict[str, object]]:
        tracks = tracks_by_method(section, self.methods)
        names = {method: track.name for method, track in tracks.items()}
        runs = common_runs(list(tracks.values()))
        methods = [method for method in names if names[method] in runs.names]
        evaluation = runs.evaluation()
        shared = {
            "dataset": section.dataset,
            "simulated": section.simulated,
            "split": section.split,
            "claim": evaluation.claim,
            "n_runs": len(runs.runs),
            "design": evaluation.design,
            "n_clusters": evaluation.n_units,
            "resampled": evaluation.resampled_by,
        }
        scores = self.scores(runs, evaluation)
        found = {} if isinstance(scores, str) else evaluated(self.findings, methods, scores)
        for finding in self.findings:
            row = {**shared, "a": names.get(finding.a, finding.a), "b": names.get(finding.b, finding.b)}
            if finding in found:
                yield row | self._evaluated_row(found[finding])
            else:
                missing = [names.get(method, method) for method in finding.methods if method not in methods]
                reason = _why_untested(missing, runs, scores)
                yield row | self._facts(finding) | {"verdict": "", "reason": reason}
        for other in self.over_runs(tracks):
            yield shared | _row_over_runs(other)

    def _facts(self, finding: PublishedFinding) -> dict[str, object]:
        published = finding.published_values(self.published)
        return {
            "finding": finding.statement,
            "score": finding.score,
            "side": finding.side,
            "bound": finding.bound,
            "published": _published(published, signed=bool(finding.b)),
        }

    def _evaluated_row(self, found: EvaluatedFinding) -> dict[str, object]:
        low, high = found.interval
        scores = dict(zip(("value_a", "value_b"), found.scores, strict=False))
        return {
            **self._facts(found.finding), **scores, "value": found.estimate.value, "lo": low, "hi": high,
            "p_value": found.p_value, "p_holm": found.p_holm, "verdict": found.verdict, "reason": "",
        }  # fmt: skip


def _why_untested(missing: Sequence[str], runs: CommonRuns, scores: object) -> str:
    """Return why a finding was not tested, given the tracks that it lacks, or the reason why there are no scores."""
    if missing:
        incomplete = [f"{track}: {runs.incomplete[track]}" for track in missing if track in runs.incomplete]
        return "; ".join(incomplete) or f"no finished runs of {listed(missing)}"
    return scores if isinstance(scores, str) else "the score is not defined in every run"


def _row_over_runs(found: RunFinding) -> dict[str, object]:
    row = {"finding": found.statement, "score": found.score, "a": found.a, "b": found.b, "side": found.side,
           "bound": found.bound, "published": _published(found.published, signed=False),
           "n_runs": len(found.numbers), "n_clusters": len(found.numbers), "resampled": "runs"}  # fmt: skip
    if not len(found.numbers) or np.isnan(found.numbers).any():
        unknown = f"{found.score} not known for every run" if len(found.numbers) else "no common runs"
        return row | {"verdict": "", "reason": f"{unknown} of {found.a} and {found.b}"}
    (value_a, value_b), (low, high) = found.numbers.mean(axis=0), found.interval
    return row | {
        "value_a": value_a, "value_b": value_b, "value": found.value, "lo": low, "hi": high, "p_value": found.p_value,
        "verdict": found.verdict, "reason": "; ".join(filter(None, (found.obstacle, found.reason))),
    }  # fmt: skip


def numbers_of_runs(
    a: TrackResult,
    b: TrackResult,
    number: Callable[[StoredRun], float | None],
    of_b: Callable[[StoredRun], float | None] | None = None,
) -> NDArray[np.float64]:
    """Return a number of each run that two tracks have in common.

    Args:
        a: the first track.
        b: the second track.
        number: returns the number of a run; None if it is not known.
        of_b: the same for the second track, if it is another number.

    Returns:
        float64 of shape (n_runs, 2); NaN where it is not known.

    """
    values = [[number(of_a), (of_b or number)(run)] for of_a, run in _paired_runs(a, b)]
    return np.array(values, dtype=np.float64).reshape(-1, 2)


def stopped_by_limit(a: TrackResult, b: TrackResult) -> str:
    """Return which of two tracks were stopped by a limit in a run that they have in common; empty if none was."""
    pairs = _paired_runs(a, b)
    texts = []
    for track, runs in ((a, [first for first, _ in pairs]), (b, [second for _, second in pairs])):
        limits = [_limit(run) for run in runs]
        counts = {limit: limits.count(limit) for limit in sorted(set(limits) - {""})}
        texts += [
            f"{track.name} stopped by its limit of {name} in {n} of {len(runs)} runs" for name, n in counts.items()
        ]
    return "; ".join(texts)


def _limit(run: StoredRun) -> str:
    """Return what stopped a training of a run, `time` or a unit such as `epochs`; empty if no limit did."""
    curves = [trial.curve for trial in run.card.track.trials if trial.curve is not None]
    if any(curve.stopped == "time" for curve in curves):
        return "time"
    return next((f"{curve.unit}s" for curve in curves if curve.stopped == "limit"), "")


def _paired_runs(a: TrackResult, b: TrackResult) -> list[tuple[StoredRun, StoredRun]]:
    """Return the finished runs that two tracks have in common."""
    of_a, of_b = ({run_key(run): run for run in track.runs if run.card.status == "done"} for track in (a, b))
    return [(of_a[key], of_b[key]) for key in sorted(of_a.keys() & of_b.keys())]


def _published(values: Mapping[str, float], *, signed: bool) -> str:
    """Return the values in a paper as text."""
    return "; ".join(f"{experiment} {value:{'+' if signed else ''}.3g}" for experiment, value in values.items())


def _measure(row: Mapping[Hashable, Any]) -> str:
    """Describe what the value of a finding is, with the bound if there is a margin."""
    operation = "to" if str(row["score"]).startswith(RATIO) else "−"
    margin = f" ({row['side']} {row['bound']:g})" if row["bound"] and row["verdict"] != NOT_TESTED else ""
    return f"{row['score']}, {row['a']}" + (f" {operation} {row['b']}" if row["b"] else "") + margin


def _interval(row: Mapping[Hashable, Any]) -> str:
    value, low, high = row["value"], row["lo"], row["hi"]
    if np.isnan(low):
        return f"{value:.3g}"
    style = ".3g" if str(row["score"]).startswith(RATIO) else "+.3f" if row["b"] else ".3f"
    return f"{value:{style}} [{low:{style}}, {high:{style}}]".replace(" ", NO_BREAK)


def _p_value(value: float) -> str:
    if np.isnan(value):
        return "–"
    return f"< {SMALLEST_P}" if value < SMALLEST_P else f"{value:.3f}"
