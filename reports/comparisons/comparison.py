"""Result of a comparison of two methods, as plain values and in sentences."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..scoring.estimate import DIFFERENCES
from .corrected_t import SOURCES

if TYPE_CHECKING:
    from ..scoring.estimate import Estimate
    from .corrected_t import CorrectedT, Design
    from .mcnemar import McNemar

OBJECT = "object"
SAME_SPLIT = "seeds on one split"
SMALLEST_P = 0.001  # smaller p-values are reported as a bound
FEWEST_SAMPLES = 5
"""Smallest number of samples in the simulations of `tox -e bench-statistics`."""
Verdict = Literal["a", "b", "tie"]
Claim = Literal["fitted models", "methods"]
Conclusion = Literal["different", "inconclusive", "not detected"]


def power_in_words(detectable: float, qualifier: str = "") -> str:
    """State the smallest detectable difference of a pair that is tested alone; differences are at most 1.

    Args:
        detectable: from `Comparison.detectable_difference`.
        qualifier: what else to say about it, in front of the value.

    """
    if not 0 < detectable < float("inf"):
        return "The difference does not vary over units, so that nothing is known about the power."
    if detectable > DIFFERENCES[1]:
        return f"No difference in macro F1, however large, is detectable with 80 % power{qualifier}."
    return f"Smallest difference in macro F1 detectable with 80 % power{qualifier}: {detectable:.3f}."


def concluded(estimate: Estimate, percentile: tuple[float, float]) -> tuple[Conclusion, Verdict]:
    """Return the conclusion of a comparison and the better method.

    Args:
        estimate: the difference, with the interval that decides.
        percentile: percentile interval of the bootstrap; if only one of the two intervals contains zero, the comparison
            is inconclusive.

    """
    by_percentile = percentile[0] > 0 or percentile[1] < 0
    if estimate.excludes_zero != by_percentile:
        return "inconclusive", "tie"
    if not estimate.excludes_zero:
        return "not detected", "tie"
    return "different", "a" if estimate.value > 0 else "b"


@dataclass(frozen=True)
class Comparison:
    """Comparison of two methods on the same objects.

    Attributes:
        a: name of the first method.
        b: name of the second method.
        macro_f1_a: macro F1 of the first method; mean over runs.
        macro_f1_b: macro F1 of the second method; mean over runs.
        delta: difference in macro F1, first minus second.
        interval: 95 % interval of the difference, of the methods if there are several runs, else of the fitted models.
        p_value: two-sided p-value that belongs to the interval.
        n_objects: number of unique test objects over all runs.
        n_clusters: number of resampled units: samples, or objects if there are no samples.
        verdict: the better method; a tie if no difference was detected or the comparison is inconclusive.
        signature: all settings that can change the numbers.
        claim: what the interval and verdict are about: with one run, these `fitted models`; with several, the
            `methods`, whose models vary with the seed and the training objects.
        conclusion: `different`; `not detected`; or `inconclusive` if the interval and the percentile interval of the
            bootstrap disagree about zero.
        p_holm: p-value adjusted for all pairs of the methods that were compared together (Holm 1979; `step_down`).
        fitted_interval: 95 % jackknife interval for these fitted models.
        percentile_interval: 95 % percentile interval of the bootstrap for these fitted models.
        bootstrap_bias: mean difference over the draws of the bootstrap minus `delta`.
        dataset: name of the data set, or of the truth.
        manifest: name of the manifest of the data set, if it is another one; else empty.
        simulated: whether the objects are simulated.
        resampled: resampled units: the name of the grouping column, or `object`.
        detectable_difference: smallest difference detectable with 80 % power at the 5 % level if this pair is tested
            alone, without correction for other pairs; unknown (0, or infinite for a single unit) if the difference does
            not vary over units.
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
    claim: Claim
    conclusion: Conclusion
    p_holm: float
    fitted_interval: tuple[float, float]
    percentile_interval: tuple[float, float]
    bootstrap_bias: float
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
    manifest: str = ""

    def __str__(self) -> str:
        """Return difference, interval, p-value, number of objects and signature in one line."""
        low, high = self.interval
        return (
            f"macro F1 of {self.a} - {self.b}: {self.delta:+.4f} [{low:+.4f}, {high:+.4f}], p = {self.p_value:.4f}, "
            f"n = {self.n_objects:,}; {self.signature}"
        )

    @property
    def has_known_power(self) -> bool:
        """Whether the smallest detectable difference is known."""
        return 0 < self.detectable_difference < float("inf")

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as plain values; an infinite detectable difference is None."""
        infinite = self.detectable_difference == float("inf")
        return asdict(self) | ({"detectable_difference": None} if infinite else {})

    def in_words(self) -> list[str]:
        """Summarise the comparison in sentences: verdict, data, smallest detectable difference, and further tests."""
        lines = [
            self._verdict_in_words(),
            self._claim_in_words(),
            self._basis_in_words(),
            self._accuracy_in_words(),
            self._runs_in_words(),
        ]
        if self.resampled != OBJECT and self.n_clusters < FEWEST_SAMPLES:
            lines.append(
                f"There are only {self.n_clusters} samples; intervals were validated by simulation from "
                f"{FEWEST_SAMPLES} samples on."
            )
        if self.simulated:
            lines.append("The objects are simulated: these are not results on real plankton.")
        return [line for line in lines if line]

    def _verdict_in_words(self) -> str:
        low, high = self.interval
        if self.verdict == "tie":
            found = f"A - B = {self.delta:+.3f} macro F1 (95 % interval {low:+.3f} to {high:+.3f}, {_p(self.p_value)})"
            if self.conclusion == "inconclusive":
                return f"Inconclusive: {self.a} and {self.b} may differ, {found}. {self._disagreement_in_words()}"
            return f"No difference between {self.a} and {self.b} was detected: {found}."
        better, worse = (self.a, self.b) if self.verdict == "a" else (self.b, self.a)
        low, high = sorted((abs(low), abs(high)))
        return (
            f"{better} is better than {worse} by {abs(self.delta):.3f} macro F1 "
            f"(95 % interval {low:.3f} to {high:.3f}, {_p(self.p_value)})."
        )

    def _disagreement_in_words(self) -> str:
        contains_zero = self.interval[0] <= 0 <= self.interval[1]
        low, high = self.fitted_interval
        if self.claim == "methods" and contains_zero and (low > 0 or high < 0):
            return (
                f"These fitted models differ ({low:+.3f} to {high:+.3f}), but training varies too much between runs to "
                "claim this of the methods."
            )
        low, high = self.percentile_interval
        return f"The percentile interval of the bootstrap, {low:+.3f} to {high:+.3f}, disagrees about zero."

    def _claim_in_words(self) -> str:
        if self.claim == "fitted models":
            return (
                "This is a statement about these two fitted models. A statement about the methods requires several "
                "runs (--seeds 0,1,2 or folds), because another seed or training set gives other models."
            )
        training = "on these training objects" if self.design == SAME_SPLIT else "on training sets like these"
        return f"This is a statement about the methods, trained {training}: the interval includes variation over runs."

    def _basis_in_words(self) -> str:
        runs = f", mean over {len(self.deltas)} runs ({self.design})" if len(self.deltas) > 1 else ""
        data = (
            f"{self.n_objects:,} objects as units; if they come from samples, the interval is too narrow"
            if self.resampled == OBJECT
            else f"{self.n_objects:,} objects in {self.n_clusters:,} clusters ({self.resampled}) as units"
        )
        return (
            f"Macro F1: {self.a} {self.macro_f1_a:.3f}, {self.b} {self.macro_f1_b:.3f}{runs}; {data}. "
            f"{power_in_words(self.detectable_difference)} Bias of the bootstrap: {self.bootstrap_bias:+.4f}."
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
