"""Measures of the order of scores: area under the ROC curve and top-k accuracy. Scores need not be probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class OneVsRestRanks:
    """Ranks of the scores of each class, for areas under ROC curves of many sets of rows.

    An area is computed from the rank sum of the positive objects (Mann & Whitney 1947). Scores are sorted only once;
    for a set of rows, ranks follow from the numbers of its objects with each score.

    Args:
        truth: codes of shape (n_objects,).
        scores: of shape (n_objects, n_classes).

    """

    def __init__(self, truth: NDArray[np.int64], scores: NDArray[np.float64]) -> None:
        from scipy.stats import rankdata

        self._truth, self._n_classes = truth, scores.shape[1]
        dense = rankdata(scores, method="dense", axis=0).astype(np.intp) - 1
        n_levels = dense.max(axis=0, initial=-1) + 1
        self._levels = dense + np.cumsum(n_levels) - n_levels  # distinct scores, numbered over all classes
        self._n_levels = int(n_levels.sum())

    def auroc(self, rows: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Return the one-vs-rest area under the ROC curve of each class.

        Args:
            rows: included objects, bool of shape (n_objects,); None includes all.

        Returns:
            float64 of shape (n_classes,); NaN for a class without positive or without negative objects.

        """
        truth, levels = (self._truth, self._levels) if rows is None else (self._truth[rows], self._levels[rows])
        n, sizes = len(truth), np.bincount(truth, minlength=self._n_classes)
        with_score = np.bincount(levels.ravel(), minlength=self._n_levels)
        own = levels[np.arange(n), truth]
        ranks = np.cumsum(with_score)[own] - truth * n - (with_score[own] - 1) / 2
        sums, pairs = np.bincount(truth, ranks, self._n_classes), sizes * (n - sizes)
        above = sums - sizes * (sizes + 1) / 2
        return np.asarray(np.divide(above, pairs, out=np.full(self._n_classes, np.nan), where=pairs > 0))

    def macro_auroc(self, rows: NDArray[np.bool_] | None = None) -> float:
        """Return the mean area over the classes with both positive and negative objects; NaN if there are none."""
        values = self.auroc(rows)
        known = np.isfinite(values)
        return float(values[known].mean()) if known.any() else float("nan")


def among_top(truth: NDArray[np.int64], scores: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return whether the class of each object is among the k highest scores.

    If the true class is tied with others, the value is its expected value under random tie-breaking. Unlike in
    scikit-learn's `top_k_accuracy_score`, it does not depend on the order of classes.

    Args:
        truth: codes of shape (n_objects,).
        scores: of shape (n_objects, n_classes).
        k: number of highest scores.

    Returns:
        float64 of shape (n_objects,), from 0 to 1; their mean is the top-k accuracy.

    """
    true_scores = np.take_along_axis(scores, truth[:, None], axis=1)
    higher, equal = (scores > true_scores).sum(axis=1), (scores == true_scores).sum(axis=1)
    return np.asarray(np.clip((k - higher) / equal, 0, 1))
