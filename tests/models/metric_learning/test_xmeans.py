"""X-Means: known mixtures, reference implementations, and properties."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench import TrackError
from planktonbench.models.metric_learning.xmeans import by_size, information_criterion, k_means, x_means
from scipy.stats import multivariate_normal, ortho_group
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from planktonbench.models.metric_learning.xmeans import Criterion

DIMENSIONS = (2, 64, 256)
CRITERIA: tuple[Criterion, ...] = ("bic", "aic")
SIZES = np.array([90, 70, 50, 40, 30])


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Use one thread, as `divided` does."""
    with threadpool_limits(1):
        yield


def mixture(n_clusters: int, n_dimensions: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return rows around well separated centres of different distances, and their components."""
    rng = np.random.default_rng([seed, n_clusters, n_dimensions])
    components = np.repeat(np.arange(n_clusters), SIZES[:n_clusters])
    if n_dimensions == 2:
        centres = np.array([[0, 0], [40, 3], [-25, 90], [120, -60], [10, 240]])
    else:
        centres = 15 * ortho_group.rvs(n_dimensions, random_state=seed)[:5] * np.arange(1, 6)[:, None] ** 0.5
    return centres[components] + rng.normal(size=(len(components), n_dimensions)), components


def clusters_of(rows: NDArray[np.floating], limit: int = 8, criterion: Criterion = "bic") -> NDArray[np.int64]:
    """Return the clusters found with a fixed seed."""
    return x_means(rows, limit, rng=np.random.default_rng(1), criterion=criterion)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("n_dimensions", DIMENSIONS)
@pytest.mark.parametrize("n_clusters", range(1, 6))
def test_known_mixtures_are_recovered(n_clusters: int, n_dimensions: int, criterion: Criterion) -> None:
    """Number and members are those of the components, numbered by size, although up to eight clusters are allowed."""
    rows, components = mixture(n_clusters, n_dimensions)

    assert (clusters_of(rows, 8, criterion) == components).all()


@pytest.mark.parametrize("n_dimensions", DIMENSIONS)
def test_bic_leaves_one_normal_distribution_whole(n_dimensions: int) -> None:
    """A single spherical distribution is not divided, for any of ten samples of different size."""
    found = [clusters_of(np.random.default_rng(seed).normal(size=(30 + 40 * seed, n_dimensions))) for seed in range(10)]

    assert [labels.max() for labels in found] == [0] * 10


def log_likelihood(rows: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the log-likelihood of a mixture of identical spherical normal distributions, row by row."""
    n_rows, n_dimensions = rows.shape
    centres = np.array([rows[labels == cluster].mean(axis=0) for cluster in np.unique(labels)])
    residuals = [row - centres[label] for row, label in zip(rows, labels, strict=True)]
    variance = np.square(residuals).sum() / (n_dimensions * (n_rows - len(centres)))
    covariance = variance * np.eye(n_dimensions)
    return sum(
        np.log(np.mean(labels == label)) + multivariate_normal.logpdf(row, centres[label], covariance)
        for row, label in zip(rows, labels, strict=True)
    )


@pytest.mark.parametrize(("n_clusters", "n_dimensions"), [(1, 2), (3, 2), (2, 7), (4, 7)])
def test_criteria_are_likelihood_minus_penalty(n_clusters: int, n_dimensions: int) -> None:
    """The likelihood is that of SciPy's normal densities; shares, centres and one variance are penalised."""
    rng = np.random.default_rng(3)
    rows, labels = rng.normal(2, 3, (40, n_dimensions)), np.arange(40) ** 2 % n_clusters
    labels = np.unique(labels, return_inverse=True)[1]
    k = labels.max() + 1
    means = np.array([rows[labels == cluster].mean(axis=0) for cluster in range(k)])
    squares = float(np.sum((rows - means[labels]) ** 2))
    n_parameters = (k - 1) + k * n_dimensions + 1
    bic, aic = (information_criterion(np.bincount(labels), squares, n_dimensions, name) for name in CRITERIA)

    assert bic == pytest.approx(log_likelihood(rows, labels) - n_parameters / 2 * np.log(40))
    assert aic == pytest.approx(log_likelihood(rows, labels) - n_parameters)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_clusters_equal_those_of_clustpy(criterion: Criterion) -> None:
    """Started from one centre, clustpy finds the same clusters, and its corrected criteria have the same values."""
    reference = pytest.importorskip(
        "clustpy.centroid.xmeans", reason="clustpy, which needs PyTorch, is only a reference implementation"
    )
    for n_clusters, n_dimensions in [(1, 64), (2, 2), (3, 2), (4, 64), (5, 256)]:
        rows, components = mixture(n_clusters, n_dimensions)
        theirs = reference.XMeans(1, 8, split_criterion=f"{criterion}-corrected", random_state=0).fit(rows).labels_
        sizes = np.bincount(components)
        score = reference._clustering_score(len(rows), sizes, n_dimensions, 1234.5, f"{criterion}-corrected")

        assert adjusted_rand_score(theirs, clusters_of(rows, 8, criterion)) == pytest.approx(1)
        assert information_criterion(sizes, 1234.5, n_dimensions, criterion) == pytest.approx(score)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("limit", range(1, 6))
def test_the_limit_is_never_exceeded(limit: int, criterion: Criterion) -> None:
    """Labels are 0 to k - 1 with k at most the limit, none is empty, and they are ordered by size."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        n_rows, n_dimensions = rng.integers(1, 60), rng.choice([1, 2, 20])
        labels = clusters_of(rng.standard_t(2, (n_rows, n_dimensions)), limit, criterion)
        sizes = np.bincount(labels)

        assert labels.shape == (n_rows,)
        assert labels.dtype == np.int64
        assert len(sizes) <= limit
        assert (sizes > 0).all()
        assert (np.diff(sizes) <= 0).all()


def test_the_division_with_the_largest_improvement_comes_first() -> None:
    """Of two pairs of clusters, a limit of three separates the pair that is farther apart."""
    rng = np.random.default_rng(0)
    places = np.array([-100, -92, 100, 130])
    rows = rng.normal(size=(200, 64))
    rows[:, 0] += np.repeat(places, 50)

    labels = clusters_of(rows, 3)

    assert (labels == np.repeat([0, 0, 1, 2], 50)).all()


def score(rows: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return BIC over all rows."""
    means = np.array([rows[labels == cluster].mean(axis=0) for cluster in range(labels.max() + 1)])
    squares = float(np.sum((rows - means[labels]) ** 2))
    return information_criterion(np.bincount(labels), squares, rows.shape[1])


@pytest.mark.parametrize("seed", [12, 13, 51, 59])
def test_the_best_clustering_of_the_search_is_returned(seed: int) -> None:
    """In these samples with outliers, k-means on all rows spoils a division that was an improvement for its cluster."""
    rows = np.random.default_rng(seed).standard_t(3, (100, 3))
    found = [score(rows, clusters_of(rows, limit)) for limit in range(1, 6)]

    assert found[4] >= max(found) - 1e-9
    assert found[4] > found[0]


def rotated(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apply a random rotation or reflection."""
    return rows @ ortho_group.rvs(rows.shape[1], random_state=7)


@pytest.mark.parametrize("n_dimensions", [2, 64])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda rows: rows + 1e4, id="shift"),
        pytest.param(rotated, id="rotation"),
        pytest.param(lambda rows: rows * 1e-6, id="smaller"),
        pytest.param(lambda rows: rows * -1e150, id="larger and mirrored"),
        pytest.param(lambda rows: rows.astype(np.float32), id="float32"),
    ],
)
def test_clusters_depend_only_on_relative_distances(
    n_dimensions: int, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> None:
    """Shifted, rotated and scaled rows are divided alike, also where components overlap."""
    rows, _ = mixture(4, n_dimensions)
    rows = rows / (15 if n_dimensions == 2 else 4) + np.random.default_rng(2).normal(size=rows.shape)
    expected = clusters_of(rows, 5, "aic")

    assert expected.max() >= 2
    assert adjusted_rand_score(expected, clusters_of(change(rows), 5, "aic")) > 0.97


def test_the_same_generator_gives_the_same_clusters() -> None:
    """Two calls with equal seeds agree bit by bit, whatever was drawn from NumPy's global generator."""
    rows = np.random.default_rng(5).standard_t(2, (120, 8))
    first = clusters_of(rows, 5, "aic")
    np.random.random(3)  # noqa: NPY002 - the global generator must not matter

    assert first.max() > 0
    assert (first == clusters_of(rows, 5, "aic")).all()


POINTS = np.random.default_rng(0).normal(size=(3, 256))


@pytest.mark.parametrize(
    ("rows", "sizes"),
    [
        pytest.param(np.zeros((0, 4)), [0], id="no row"),
        pytest.param(POINTS[:1], [1], id="one row"),
        pytest.param(POINTS[:2], [2], id="two rows"),
        pytest.param(POINTS, [3], id="three rows"),
        pytest.param(np.full((50, 256), 0.1, np.float32), [50], id="constant"),
        pytest.param(np.full((50, 3), 1e8 + 0.1), [50], id="large constant"),
        pytest.param(np.repeat(POINTS[:2], 30, axis=0), [30, 30], id="two different rows"),
        pytest.param(np.repeat(POINTS, [9, 8, 7], axis=0), [9, 8, 7], id="three different rows"),
        pytest.param(np.repeat(POINTS[:2], [2, 1], axis=0), [2, 1], id="a pair and one more row"),
    ],
)
@pytest.mark.parametrize("criterion", CRITERIA)
def test_few_equal_and_constant_rows(rows: NDArray[np.floating], sizes: list[int], criterion: Criterion) -> None:
    """They raise neither errors nor warnings; equal rows are in one cluster."""
    assert np.bincount(clusters_of(rows, 5, criterion), minlength=1).tolist() == sizes


def test_five_thousand_rows_take_less_than_a_second() -> None:
    """Processor time of one thread for 256 dimensions, without structure, and the best of three."""
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(5000, 256)) * np.linspace(3, 0.1, 256)).astype(np.float32)
    seconds = []
    for _ in range(3):
        started = time.process_time()
        labels = clusters_of(rows, 5)
        seconds.append(time.process_time() - started)

    assert 1 < labels.max() + 1 <= 5
    assert min(seconds) < 1


def test_k_means_returns_as_many_clusters_as_different_rows_allow() -> None:
    """Started from a number or from centres; clusters are consecutive, and none is empty."""
    rows = np.repeat([[0.0, 0.0], [1.0, 0.0], [9.0, 9.0]], [4, 4, 2], axis=0)

    assert np.bincount(k_means(rows, 5, seed=1, starts=2)).tolist() in ([4, 4, 2], [4, 2, 4], [2, 4, 4])
    assert k_means(rows, np.array([[0.5, 0.0], [8.0, 8.0]])).tolist() == [0] * 8 + [1] * 2


def test_clusters_are_numbered_by_size() -> None:
    """The largest cluster is 0; clusters of one size keep their order."""
    assert by_size(np.array([0, 1, 1, 2, 2, 2, 3, 3])).tolist() == [3, 1, 1, 0, 0, 0, 2, 2]


@pytest.mark.parametrize(
    ("rows", "limit", "criterion", "message"),
    [
        (POINTS, 0, "bic", "limit is 0; expected the largest number of clusters, 1 or more"),
        (POINTS, 2, "bik", "criterion is 'bik'. Did you mean bic"),
        (POINTS[0], 2, "bic", r"clustered have shape \(256,\); expected \(n_rows, n_dimensions\)"),
        (
            np.array([[0.0], [np.nan], [np.inf]]),
            2,
            "bic",
            "2 of 3 rows to be clustered have values that are not finite, .* row 1",
        ),
    ],
)
def test_invalid_arguments_are_refused(
    rows: NDArray[np.float64], limit: int, criterion: Criterion, message: str
) -> None:
    """The message states what was expected."""
    with pytest.raises(TrackError, match=message):
        clusters_of(rows, limit, criterion)
