"""Late fusion: what an image track and a native track say, mixed by weights that validation rows choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import TrackError
from ..protocol.track import Track

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..protocol.objects import Objects

FOLDS = 5
FEWEST_BASE_RUNS = 2
LARGEST_WEIGHT = 10.0


class FusionStack(Track):
    """A weighted sum of the parts' log-probabilities, normalised: a logarithmic opinion pool.

    log p(c) = Σₖ wₖ · log pₖ(c) − log Z (Genest & Zidek 1986, Statistical Science 1:114, doi 10.1214/ss/1177013825,
    section 3.2). Weights need not sum to one, so that each also is the inverse temperature that calibrates its part
    (Guo et al. 2017, arXiv 1706.04599). They are those of the least log loss on validation rows, from 0 to
    `LARGEST_WEIGHT`.

    What it says of the validation rows themselves comes from weights fitted without the row's fold, so that they can be
    judged by it, too.

    Args:
        of: names of the tracks that are mixed.

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
        """The tracks that are mixed."""
        return self.of

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Choose the weights on validation rows."""
        said = self._said(valid)
        self._weights = pool_weights(said, valid.y)
        fold = rng.permutation(len(valid)) % FOLDS
        mixed = np.empty(said.shape[1:])
        for left_out in np.unique(fold):
            rows = fold == left_out
            others = ~rows if (~rows).any() else rows
            mixed[rows] = pooled(said[:, rows], pool_weights(said[:, others], valid.y[others]))
        self._of_valid = dict(zip(valid.object_ids, mixed, strict=True))
        self.chosen = {"weights": dict(zip(self.of, self._weights.tolist(), strict=True))}

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return the mixed probabilities."""
        scores = pooled(self._said(objects), self._weights)
        for row, object_id in enumerate(objects.object_ids):
            if object_id in self._of_valid:
                scores[row] = self._of_valid[object_id]
        return scores

    def _said(self, objects: Objects) -> NDArray[np.float64]:
        """Return what each part says, log-probabilities of shape (n_parts, n_objects, n_classes)."""
        return np.stack([self.base_runs[name].log_probabilities(objects) for name in self.of])

    _weights: NDArray[np.float64]
    _of_valid: dict[str, NDArray[np.float64]]


def pooled(said: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithmic opinion pool.

    Args:
        said: log-probabilities, float64 of shape (n_parts, n_objects, n_classes).
        weights: of the parts, float64 of shape (n_parts,).

    Returns:
        Probabilities, float64 of shape (n_objects, n_classes).

    """
    from scipy.special import softmax

    return np.asarray(softmax(np.tensordot(weights, said, axes=1), axis=1), np.float64)


def pool_weights(said: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the weights of the pool with the least log loss, which is convex in them.

    Args:
        said: as in `pooled`.
        y: class codes, int64 of shape (n_objects,).

    Returns:
        float64 of shape (n_parts,).

    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax, softmax

    rows = np.arange(len(y))
    of_truth = said[:, rows, y]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        mixed = np.tensordot(weights, said, axes=1)
        expected = (said * softmax(mixed, axis=1)).sum(axis=2)
        return -float(log_softmax(mixed, axis=1)[rows, y].mean()), (expected - of_truth).mean(axis=1)

    start = np.full(len(said), 1 / len(said))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, LARGEST_WEIGHT)] * len(said))
    return np.asarray(found.x, np.float64)
