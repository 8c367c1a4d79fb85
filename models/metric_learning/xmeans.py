"""X-Means: k-means that determines the number of clusters itself.

Pelleg & Moore 2000, "X-means: Extending K-means with Efficient Estimation of the Number of Clusters", Proc. 17th ICML,
pp. 727-734; their kd-trees, which only accelerate it, are left out.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np

from ...data_manifests.errors import TrackError, did_you_mean
from .choices import Criterion

if TYPE_CHECKING:
    from numpy.typing import NDArray

STARTS = 3  # random starts of each division, besides the one along the principal direction
POWER_STEPS = 10
LEAST_DIVIDED = 3  # rows: with two clusters of two rows, no row is left to estimate the variance from
LARGEST_SEED = 2**31


def x_means(
    rows: NDArray[np.floating], limit: int, *, rng: np.random.Generator, criterion: Criterion = "bic"
) -> NDArray[np.int64]:
    """Divide rows into the number of clusters that an information criterion prefers, at most `limit`.

    The search starts from one centre and alternates two steps (section 2):

    * Improve-Structure: each cluster is divided by 2-means. The division is kept if the criterion prefers two clusters
      to one for the rows of this cluster.
    * Improve-Params: k-means on all rows, started from the centres found.

    It ends when no division is kept or the limit is reached, and the clustering with the best criterion over all rows
    is returned. The paper leaves open, and here is chosen:

    * The paper moves the two children apart along a random direction. Here 2-means starts once along the principal
      direction, with the centres of the halves of a normal distribution, and `STARTS` times by k-means++; the division
      with the smallest sum of squares is used.
    * If more divisions are kept than the limit allows, those with the largest improvement are.
    * A cluster of fewer than `LEAST_DIVIDED` rows, or of equal rows, is not divided.

    As in the original, a structure is missed if no first division improves the criterion, which happens in one or two
    dimensions: dividing four equal clusters at the corners of a square into two pairs gains nothing. In many dimensions
    a large cluster that is not spherical is divided until the limit, whether it has parts or not: if most variance lies
    in few directions, a division explains much of it, and the gain grows with the number of rows, the penalty of BIC
    only with its logarithm.

    Sums depend on the number of threads in their last bits, and threads cost more than they gain on a class of usual
    size: callers limit the number to one.

    Args:
        rows: of shape (n_rows, n_dimensions).
        limit: largest number of clusters, at least 1.
        rng: random starts.
        criterion: `bic` or `aic`; the latter is less strict.

    Returns:
        Cluster of each row, int64 of shape (n_rows,): 0 to k - 1, ordered by decreasing size, none empty.

    Raises:
        TrackError: the limit, the criterion or the shape is invalid, or values are not finite.

    """
    _check_options(limit, criterion)
    check_rows(rows)
    labels = np.zeros(len(rows), np.int64)
    if limit == 1 or len(rows) < LEAST_DIVIDED:
        return labels
    search = _Search.of(rows, criterion, rng)
    best, best_score = labels, search.score(search.rows, labels)
    for _ in range(limit - 1):
        divided = search.improved_structure(labels, limit)
        if divided.max() == labels.max():
            break
        labels = k_means(search.rows, _means(search.rows, divided))
        score = search.score(search.rows, labels)
        if score > best_score:
            best, best_score = labels, score
    return by_size(best)


def information_criterion(
    sizes: NDArray[np.int64], squares: float, n_dimensions: int, criterion: Criterion = "bic"
) -> float:
    """Return log-likelihood minus penalty of a clustering, as a mixture of identical spherical normal distributions.

    The log-likelihood at the estimated parameters is the sum over rows i of log(R(i) / R · N(x_i; μ(i), σ² I)), where
    μ(i) and R(i) are centre and size of the cluster of row i, R is the number of rows and K that of clusters. The
    penalty is p / 2 · log R (BIC) or p (AIC) for p = (K - 1) + M K + 1 parameters in M dimensions: shares of the
    clusters, centres, and one variance (section 3.2 of Pelleg & Moore; its equations have no numbers).

    The formulas printed there are not those of a normal distribution in M dimensions: the density has √(2π) instead of
    (2π)^(M/2), the variance lacks the divisor M, so that it is M times too large, and the sum of squares, divided by
    twice the variance, becomes (R_n - K) / 2 for each cluster, which sums to (R - K²) / 2 instead of (R - K) M / 2.
    Here the density is that of a normal distribution and σ² = squares / (M (R - K)), which is free of bias.

    Args:
        sizes: number of rows of each cluster, all positive, of shape (n_clusters,).
        squares: sum of squared distances to the centres, positive.
        n_dimensions: M.
        criterion: `bic` or `aic`.

    Returns:
        The larger, the better.

    """
    n_rows, n_clusters = sizes.sum(), len(sizes)
    free = n_dimensions * (n_rows - n_clusters)
    likelihood = np.sum(sizes * np.log(sizes / n_rows))
    likelihood -= (n_rows * n_dimensions * np.log(2 * np.pi * squares / free) + free) / 2
    n_parameters = n_clusters * (n_dimensions + 1)
    return float(likelihood - n_parameters * (np.log(n_rows) / 2 if criterion == "bic" else 1))


def k_means(
    rows: NDArray[np.floating], start: int | NDArray[np.floating], *, seed: int = 0, starts: int = 1
) -> NDArray[np.int64]:
    """Return clusters found by scikit-learn's k-means.

    Args:
        rows: of shape (n_rows, n_dimensions), with a mean of about 0, since they are rounded to float32.
        start: number of clusters, for k-means++, at most n_rows; or centres, of shape (n_clusters, n_dimensions).
        seed: seed of k-means++.
        starts: number of starts of k-means++.

    Returns:
        Cluster of each row, int64 of shape (n_rows,): 0 to k - 1, none empty; k is smaller than the number asked for if
        there are not as many different rows.

    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    n_clusters, init = (start, "k-means++") if isinstance(start, int) else (len(start), start.astype(np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of fewer different rows than clusters
        found = KMeans(n_clusters, init=init, n_init=starts, random_state=seed).fit(rows.astype(np.float32)).labels_
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def by_size(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number clusters by decreasing size; clusters of one size keep their order. Of shape (n_rows,)."""
    order = np.argsort(-np.bincount(labels), kind="stable")
    return np.argsort(order)[labels]


@dataclass(frozen=True)
class _Search:
    """What remains the same during a search.

    Attributes:
        rows: float64 of shape (n_rows, n_dimensions), with mean 0 and a mean square of 1, unless all rows are equal.
        least_squares: sums of squares below this are rounding errors.
        criterion: `bic` or `aic`.
        rng: random starts.

    """

    rows: NDArray[np.float64]
    least_squares: float
    criterion: Criterion
    rng: np.random.Generator

    @classmethod
    def of(cls, rows: NDArray[np.floating], criterion: Criterion, rng: np.random.Generator) -> _Search:
        """Centre and scale the rows."""
        scaled = np.asarray(rows, np.float64) - np.mean(rows, axis=0, dtype=np.float64)
        scaled /= np.abs(scaled).max() or 1
        scaled /= np.sqrt(np.mean(scaled**2)) or 1
        return cls(scaled, float(np.finfo(np.float32).eps ** 2 * scaled.size), criterion, rng)

    def score(self, rows: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
        """Return the information criterion of a clustering of some rows."""
        squares = max(_squares(rows, labels), self.least_squares)
        return information_criterion(np.bincount(labels), squares, rows.shape[1], self.criterion)

    def improved_structure(self, labels: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
        """Return the clustering with the divisions that the criterion prefers, the largest improvements first."""
        divisions: list[tuple[float, NDArray[np.int64]]] = []
        if labels.max() + 1 == limit:
            return labels
        for cluster in range(labels.max() + 1):
            members = np.flatnonzero(labels == cluster)
            halves = self._divided(self.rows[members])
            if halves.max() == 0:
                continue
            whole = np.zeros(len(members), np.int64)
            gain = self.score(self.rows[members], halves) - self.score(self.rows[members], whole)
            divisions.append((gain, members[halves == 1]))
        kept = sorted((division for division in divisions if division[0] > 0), key=lambda division: -division[0])
        divided, n_clusters = labels.copy(), labels.max() + 1
        for number, (_, moved) in enumerate(kept[: limit - n_clusters]):
            divided[moved] = n_clusters + number
        return divided

    def _divided(self, rows: NDArray[np.float64]) -> NDArray[np.int64]:
        """Divide rows by 2-means; all zeros if they cannot be divided."""
        rows = rows - rows.mean(axis=0)
        if len(rows) < LEAST_DIVIDED or np.sum(rows**2) <= self.least_squares:
            return np.zeros(len(rows), np.int64)
        direction = _principal_direction(rows)
        centre = direction * np.sqrt(2 / np.pi) * np.std(rows @ direction)  # mean of half a normal distribution
        along = k_means(rows, np.stack([centre, -centre]))
        random = k_means(rows, 2, seed=int(self.rng.integers(LARGEST_SEED)), starts=STARTS)
        return min(along, random, key=lambda halves: _squares(rows, halves))


def _principal_direction(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return about the first principal direction of centred rows, by power iteration from the longest row."""
    direction = rows[np.argmax(np.sum(rows**2, axis=1))]
    for _ in range(POWER_STEPS):
        direction = direction / np.linalg.norm(direction)
        direction = rows.T @ (rows @ direction)
    return np.asarray(direction / np.linalg.norm(direction))


def _means(rows: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.stack([rows[labels == cluster].mean(axis=0) for cluster in range(labels.max() + 1)])


def _squares(rows: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the sum of squared distances to the means of the clusters."""
    return float(np.sum((rows - _means(rows, labels)[labels]) ** 2))


def check_rows(rows: NDArray[np.floating]) -> None:
    """Check that rows are finite numbers in a table.

    Raises:
        TrackError: they are not.

    """
    if rows.ndim != 2:  # noqa: PLR2004 - rows and dimensions
        message = f"Rows to be clustered have shape {rows.shape}; expected (n_rows, n_dimensions)."
        raise TrackError(message)
    wrong = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(wrong):
        message = (
            f"{len(wrong):,} of {len(rows):,} rows to be clustered have values that are not finite, the first is row "
            f"{wrong[0]}; expected finite numbers. If they are embeddings, the training diverged: lower its learning "
            "rate."
        )
        raise TrackError(message)


def _check_options(limit: int, criterion: str) -> None:
    if limit < 1:
        message = f"x_means: limit is {limit}; expected the largest number of clusters, 1 or more."
        raise TrackError(message)
    if criterion not in get_args(Criterion):
        message = f"x_means: criterion is {criterion!r}. {did_you_mean(str(criterion), get_args(Criterion))}"
        raise TrackError(message)
