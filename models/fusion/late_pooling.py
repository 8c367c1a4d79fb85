"""Late fusion: predictions of several tracks, combined with weights that are fitted on validation rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import TrackError
from ..protocol.folds import by_sample, folds_of
from ..protocol.track import Track

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..protocol.objects import Objects

FOLDS = 5
FEWEST_BASE_RUNS = 2
LARGEST_WEIGHT = 10.0


class FusionStack(Track):
    """A weighted sum of the base models' log-probabilities, normalised: a logarithmic opinion pool.

    log p(c) = Σₖ wₖ · log pₖ(c) − log Z (Genest & Zidek 1986, Statistical Science 1:114, doi 10.1214/ss/1177013825,
    section 3.2). Weights need not sum to one, so each also acts as the inverse temperature that calibrates its base
    model (Guo et al. 2017, arXiv 1706.04599). The weights, from 0 to `LARGEST_WEIGHT`, minimise the log loss on
    validation rows.

    Predictions of the validation rows themselves use weights that were fitted without the row's fold, so that
    validation scores are not optimistic either. Folds keep the rows of a sample together (`folds_of`).

    Args:
        of: names of the tracks to combine.

    """

    name = "fusion-stack"
    source = "Genest & Zidek 1986, logarithmic opinion pool; Guo et al. 2017, temperature"
    inputs = frozenset({"native", "images"})

    def __init__(self, of: Sequence[str] = ("cnn-lenet", "xgb-native")) -> None:
        self.of = tuple(of) if isinstance(of, (list, tuple)) else ()
        if len(set(self.of)) < max(FEWEST_BASE_RUNS, len(self.of)):
            message = f"{self.name}: of is {of!r}; expected two or more different tracks, as in [cnn-best, xgb-native]."
            raise TrackError(message)

    @property
    def base_models(self) -> tuple[str, ...]:
        """The tracks that are combined."""
        return self.of

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Fit the weights on validation rows."""
        log_probabilities = self._log_probabilities(valid)
        self._weights = pool_weights(log_probabilities, valid.y)
        unstratified = np.zeros_like(valid.y)  # so that the label of a row cannot influence its own prediction
        fold = folds_of(unstratified, FOLDS, rng, valid.groups)
        mixed = np.empty(log_probabilities.shape[1:])
        for left_out in np.unique(fold):
            rows = fold == left_out
            others = ~rows if (~rows).any() else rows
            weights = pool_weights(log_probabilities[:, others], valid.y[others])
            mixed[rows] = pooled(log_probabilities[:, rows], weights)
        self._valid_scores = dict(zip(valid.object_ids, mixed, strict=True))
        self.chosen = {
            "weights": dict(zip(self.of, self._weights.tolist(), strict=True)),
            "folds_by": "sample" if by_sample(valid.groups) else "row",
        }

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return the pooled probabilities."""
        scores = pooled(self._log_probabilities(objects), self._weights)
        for row, object_id in enumerate(objects.object_ids):
            if object_id in self._valid_scores:
                scores[row] = self._valid_scores[object_id]
        return scores

    def _log_probabilities(self, objects: Objects) -> NDArray[np.float64]:
        """Return the log-probabilities of all base runs, float64 of shape (n_base_runs, n_objects, n_classes)."""
        return np.stack([self.context.base_run(name).log_probabilities(objects) for name in self.of])

    _weights: NDArray[np.float64]
    _valid_scores: dict[str, NDArray[np.float64]]


def pooled(log_probabilities: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithmic opinion pool.

    Args:
        log_probabilities: predictions of the base runs, float64 of shape (n_base_runs, n_objects, n_classes).
        weights: weights of the base runs, float64 of shape (n_base_runs,).

    Returns:
        Probabilities, float64 of shape (n_objects, n_classes).

    """
    from scipy.special import softmax

    return np.asarray(softmax(np.tensordot(weights, log_probabilities, axes=1), axis=1), np.float64)


def pool_weights(log_probabilities: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the weights of the pool that minimise the log loss, which is convex in them.

    Args:
        log_probabilities: as in `pooled`.
        y: class codes, int64 of shape (n_objects,).

    Returns:
        float64 of shape (n_base_runs,).

    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax, softmax

    rows = np.arange(len(y))
    of_truth = log_probabilities[:, rows, y]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        mixed = np.tensordot(weights, log_probabilities, axes=1)
        expected = (log_probabilities * softmax(mixed, axis=1)).sum(axis=2)
        return -float(log_softmax(mixed, axis=1)[rows, y].mean()), (expected - of_truth).mean(axis=1)

    count = len(log_probabilities)
    bounds = [(0, LARGEST_WEIGHT)] * count
    found = minimize(loss, np.full(count, 1 / count), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x, np.float64)
