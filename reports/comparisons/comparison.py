"""Result of a comparison of two methods, as plain values and in sentences."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .corrected_t import SOURCES

if TYPE_CHECKING:
    from .corrected_t import CorrectedT, Design
    from .mcnemar import McNemar
    from .paired_bootstrap import Verdict

OBJECT = "object"
SMALLEST_P = 0.001  # smaller p-values are reported as a bound
ENOUGH_CLUSTERS = 30
TOO_NARROW = (
    "With so few clusters the interval is too narrow: between equally good methods a difference is found in about 16 "
    "% of cases with 5 clusters, 11 % with 10, 7 % with 20 and 6 % with 30, instead of 5 %."
)
"""Simulated: 4,000 pairs for each number of clusters, with 600 objects in five classes and samples of different
difficulty (`tox -e bench-statistics`, 2026-11-21)."""


@dataclass(frozen=True)
class Comparison:
    """Comparison of two methods on the same objects.

    Attributes:
        a: name of the first method.
        b: name of the second method.
        macro_f1_a: macro F1 of the first method; mean over runs.
        macro_f1_b: macro F1 of the second method; mean over runs.
        delta: difference in macro F1, first minus second.
        interval: 95 % percentile interval of the difference, from the same draws for both methods.
        p_value: two-sided p-value from the same draws; never 0.
        n_objects: number of unique test objects over all runs.
        n_clusters: number of resampled units: samples, or objects if there are no samples.
        verdict: the better method; a tie if the interval contains zero.
        signature: all settings that can change the numbers.
        dataset: name of the data set, or of the truth.
        simulated: whether the objects are simulated.
        resampled: resampled units: the name of the grouping column, or `object`.
        detectable_difference: smallest difference detectable with 80 % power at the 5 % level.
        accuracy_a: accuracy of the first method; mean over runs.
        accuracy_b: accuracy of the second method; mean over runs.
        mcnemar: exact test of accuracy on single objects; None for several runs, because their objects repeat.
        design: design of the runs: one run, seeds on one split, repeated hold-out, k-fold, repeated k-fold.
        deltas: difference of each run.
        over_splits: corrected t test of `deltas` if the runs are on several splits; otherwise None.

    """

    a: str
    b: str
    macro_f1_a: float
    macro_f1_b: float
    delta: float
    interval: tuple[float, float]
    p_value: float
    n_objects: int
    n_clusters: int
    verdict: Verdict
    signature: str
    dataset: str
    simulated: bool
    resampled: str
    detectable_difference: float
    accuracy_a: float
    accuracy_b: float
    mcnemar: McNemar | None
    design: Design
    deltas: tuple[float, ...]
    over_splits: CorrectedT | None

    def __str__(self) -> str:
        """Return difference, interval, p-value, number of objects and signature in one line."""
        low, high = self.interval
        return (
            f"macro F1 of {self.a} - {self.b}: {self.delta:+.4f} [{low:+.4f}, {high:+.4f}], p = {self.p_value:.4f}, "
            f"n = {self.n_objects:,}; {self.signature}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as plain values."""
        return asdict(self)

    def in_words(self) -> list[str]:
        """Summarise the comparison in sentences: verdict, data, smallest detectable difference, and further tests."""
        lines = [self._verdict_in_words(), self._basis_in_words(), self._accuracy_in_words(), self._runs_in_words()]
        if self.resampled != OBJECT and self.n_clusters < ENOUGH_CLUSTERS:
            lines.append(TOO_NARROW)
        if self.simulated:
            lines.append("The objects are simulated: these are not results on real plankton.")
        return [line for line in lines if line]

    def _verdict_in_words(self) -> str:
        low, high = self.interval
        if self.verdict == "tie":
            return (
                f"No difference between {self.a} and {self.b} was detected: A - B = {self.delta:+.3f} macro F1 "
                f"(95 % interval {low:+.3f} to {high:+.3f}, {_p(self.p_value)})."
            )
        better, worse = (self.a, self.b) if self.verdict == "a" else (self.b, self.a)
        low, high = sorted((abs(low), abs(high)))
        return (
            f"{better} is better than {worse} by {abs(self.delta):.3f} macro F1 "
            f"(95 % interval {low:.3f} to {high:.3f}, {_p(self.p_value)})."
        )

    def _basis_in_words(self) -> str:
        runs = f", mean over {len(self.deltas)} runs ({self.design})" if len(self.deltas) > 1 else ""
        data = (
            f"{self.n_objects:,} objects, resampled individually; if they come from samples, the interval is too narrow"
            if self.resampled == OBJECT
            else f"{self.n_objects:,} objects in {self.n_clusters:,} clusters ({self.resampled}), resampled by cluster"
        )
        return (
            f"Macro F1: {self.a} {self.macro_f1_a:.3f}, {self.b} {self.macro_f1_b:.3f}{runs}; {data}. "
            f"Smallest difference detectable with 80 % power: {self.detectable_difference:.3f}."
        )

    def _accuracy_in_words(self) -> str:
        text = f"Accuracy: {self.a} {self.accuracy_a:.3f}, {self.b} {self.accuracy_b:.3f}"
        if self.mcnemar is None:
            return f"{text}."
        only = f"only {self.a} is right on {self.mcnemar.only_a:,} objects, only {self.b} on {self.mcnemar.only_b:,}"
        return f"{text}; {only} (McNemar's exact test of single objects: {_p(self.mcnemar.p_value)})."

    def _runs_in_words(self) -> str:
        if len(self.deltas) == 1:
            return ""
        each = ", ".join(f"{delta:+.3f}" for delta in self.deltas)
        if self.over_splits is None:
            return f"Several seeds on one split, which shows how much training varies: {each}."
        low, high = self.over_splits.interval
        return (
            f"Over splits: {each}; corrected for shared training objects, the mean has the 95 % interval "
            f"{low:+.3f} to {high:+.3f}, {_p(self.over_splits.p_value)} ({SOURCES[self.design]})."
        )


def _p(value: float) -> str:
    return f"p < {SMALLEST_P}" if value < SMALLEST_P else f"p = {value:.3f}"
