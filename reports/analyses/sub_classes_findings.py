"""Findings of Venkataramanan et al. 2021 on sub-classes and triplets.

"Tackling Inter-Class Similarity and Intra-Class Variance for Microscopic Image-based Classification" (ICVS 2021).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..comparisons.findings import PublishedFinding, RunFinding, findings_on
from ..comparisons.paired_evaluation import ScoreFacts
from .error_variance import error_moments
from .findings import EQUAL, OVER_RUNS, PaperFindings, numbers_of_runs
from .sub_classes import perfect_classes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..comparisons.all_pairs import AllPairs
    from ..comparisons.common_runs import CommonRuns
    from ..comparisons.findings import Published
    from ..comparisons.paired_evaluation import PairedEvaluation
    from ..results.section import TrackResult
    from ..scoring.metrics import Totals

STANDARD, TRIPLET, CLUSTERING, BOTH, GS_TRS = "standard", "triplet-only", "subclass-only", "subclass-triplet", "gs-trs"
METHODS = (STANDARD, TRIPLET, CLUSTERING, BOTH, GS_TRS)
ACCURACY, RECALL, PRECISION, F1 = "accuracy", "macro recall", "macro precision", "macro F1"
FN, FP = "variance of false negatives", "variance of false positives"
NAMES = (ACCURACY, RECALL, PRECISION, F1, FN, FP)
LIMITS = {FN: (0.0, np.inf), FP: (0.0, np.inf)}

TABLES = {
    "diatoms, ResNet50": (
        (94.24, 93.54, 93.98, 92.85, 0.036, 0.049),
        (96.06, 95.86, 95.97, 95.33, 0.022, 0.023),
        (96.57, 96.53, 96.61, 96.15, 0.020, 0.014),
        (97.37, 97.95, 97.97, 97.79, 0.0059, 0.0071),
        (93.23, 93.03, 93.44, 92.66, 0.018, 0.018),
    ),
    "diatoms, EfficientNet": (
        (95.31, 94.92, 95.10, 94.82, 0.031, 0.041),
        (96.67, 96.52, 96.68, 96.50, 0.021, 0.021),
        (96.76, 96.61, 96.11, 96.67, 0.019, 0.016),
        (97.22, 96.64, 97.30, 96.69, 0.0047, 0.0053),
        (93.60, 92.96, 93.27, 93.43, 0.020, 0.024),
    ),
    "WHOI, ResNet50": (
        (88.54, 84.90, 85.82, 84.71, 0.022, 0.136),
        (89.25, 83.90, 85.39, 84.63, 0.034, 0.084),
        (88.17, 87.49, 83.25, 84.52, 0.013, 0.095),
        (89.48, 85.64, 86.54, 85.50, 0.017, 0.034),
        (87.53, 78.75, 86.67, 80.81, 0.035, 0.156),
    ),
    "WHOI, EfficientNet": (
        (88.82, 86.51, 82.21, 81.67, 0.030, 0.125),
        (88.99, 84.31, 84.23, 83.78, 0.041, 0.079),
        (88.71, 85.96, 81.65, 81.49, 0.015, 0.103),
        (90.53, 88.91, 87.13, 83.86, 0.013, 0.024),
        (87.66, 82.25, 82.35, 82.03, 0.033, 0.147),
    ),
}
"""Tables 1 and 2: methods in the order of `METHODS`, scores in that of `NAMES`, the first four in percent."""
PERFECT = {"diatoms": 140 - 120, "WHOI": 7 - 3}
"""Classes without a false negative, both together minus standard, of 166 and 38 (sections 5.1 and 5.2)."""
UNCHANGED = "The triplet loss does not change the false negatives of clustering much"


class SubClassesFindings(PaperFindings):
    """Findings on sub-classes and triplets."""

    file = "sub-classes-findings.csv"
    anchor = "sub-classes-findings"
    title = "Findings of Venkataramanan et al. 2021"
    description = (
        "Findings on clustering classes into sub-classes and on the triplet loss. A finding holds if its difference is "
        "significant in the stated direction, and does not hold if it is significant in the other; everything else is "
        "inconclusive. Intervals are paired and contain the variation over runs if there are several; p-values are "
        "adjusted for all findings (Holm). False negatives do not change much if the difference in macro recall is "
        f"significantly within ±{EQUAL}, which both of two findings must show; the paper states it of WHOI alone. The "
        "last column has the values in the paper for two data sets and networks. On WHOI, two of them contradict its "
        "text: macro recall rises by 0.030 with EfficientNet, the network of figure 3b, and GS-TRS has the best macro "
        "precision with ResNet50. What it states of single methods on diatoms is not so on WHOI: clustering alone "
        "is neither above standard classification nor above the triplet loss, the triplet loss with ResNet50 is below "
        "standard classification, and GS-TRS with EfficientNet is above it in macro F1. "
        f"{OVER_RUNS}"
    )
    methods = METHODS
    published: ClassVar[Published] = {
        experiment: {
            method: {name: value / (1 if name in LIMITS else 100) for name, value in zip(NAMES, values, strict=True)}
            for method, values in zip(METHODS, table, strict=True)
        }
        for experiment, table in TABLES.items()
    }
    findings = (
        *findings_on("Clustering improves on standard classification", [F1], CLUSTERING, STANDARD),
        *findings_on("The triplet loss improves on standard classification", [F1], TRIPLET, STANDARD),
        *findings_on("Clustering helps more than the triplet loss", [F1], CLUSTERING, TRIPLET),
        *(
            PublishedFinding("Both together help most", score, BOTH, other)
            for other in (STANDARD, CLUSTERING, TRIPLET, GS_TRS)
            for score in (F1, ACCURACY, PRECISION)
        ),
        *findings_on("GS-TRS is below standard classification", [F1, ACCURACY], GS_TRS, STANDARD, side="below"),
        *findings_on("Both together reduce false negatives", [RECALL], BOTH, STANDARD),
        *findings_on(UNCHANGED, [RECALL], BOTH, CLUSTERING, side="below", bound=EQUAL),
        *findings_on(UNCHANGED, [RECALL], BOTH, CLUSTERING, bound=-EQUAL),
        *findings_on("Clustering reduces the variance of errors", [FN, FP], CLUSTERING, STANDARD, side="below"),
        *findings_on("Both together reduce the variance of errors", [FN, FP], BOTH, STANDARD, side="below"),
    )

    def scores(self, runs: CommonRuns, evaluation: PairedEvaluation) -> dict[str, AllPairs] | str:
        """Return accuracy, macro recall, precision and F1, and the variances of errors."""
        fewest = min(len(run.predictions) for run in runs.first)
        facts = [ScoreFacts(LIMITS[name]) if name in LIMITS else ScoreFacts(n_objects=fewest) for name in NAMES]
        return dict(zip(NAMES, evaluation.pairs_by([_scores] * len(runs.runs), facts), strict=True))

    def over_runs(self, tracks: Mapping[str, TrackResult]) -> list[RunFinding]:
        """Return the difference in the number of perfectly classified classes."""
        if not {BOTH, STANDARD} <= tracks.keys():
            return []
        both, standard = tracks[BOTH], tracks[STANDARD]
        return [
            RunFinding(
                "Both together classify more classes perfectly",
                "classes without a false negative",
                both.name,
                standard.name,
                numbers_of_runs(both, standard, perfect_classes),
                published={experiment: float(value) for experiment, value in PERFECT.items()},
                reason="mean difference over runs, which depends on few objects",
            )
        ]


def _scores(totals: Totals) -> NDArray[np.float64]:
    """Return the scores `NAMES` from counts of shape (..., n_classes), of shape (..., 6); NaN without objects."""
    with np.errstate(invalid="ignore"):
        shares = [totals.accuracy, *(totals.macro(one) for one in (totals.recall, totals.precision, totals.f1))]
    return np.stack([*shares, *np.moveaxis(error_moments(totals)[..., :2], -1, 0)], axis=-1)
