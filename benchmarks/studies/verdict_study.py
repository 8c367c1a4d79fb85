"""Verdicts on equally good methods, by simulation: sets of methods, and methods trained again with other seeds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...reports.comparisons.all_pairs import AllPairs
from ...reports.comparisons.corrected_t import corrected_t
from ...reports.comparisons.paired_bootstrap import resample
from ...reports.comparisons.paired_jackknife import macro_f1_without_each
from ...reports.comparisons.paired_predictions import macro_f1_of
from ...reports.scoring.estimate import LEVEL
from .interval_study import DRAWS, all_pairs_of
from .simulated_predictions import SKILL, SimulatedDesign, draw_predictions, draw_test_set, repeated, sample_effects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ...reports.comparisons.paired_bootstrap import Resampled
    from ...reports.comparisons.paired_predictions import PairedPredictions

N_METHODS = 11
BETTER = 0.5  # difference in skill of the best method, for the power
SUPPORTS = (200, 100, 50, 25, 10, 5, 3)
TEST_SHARE = 0.15  # of the objects of a data set; as many are for validation, the others for training
TEST_TO_TRAIN = TEST_SHARE / (1 - 2 * TEST_SHARE)


class Board(NamedTuple):
    """Outcome for a board of methods.

    Attributes:
        old_single: whether rank groups by percentile intervals against the best put equally good methods in one group.
        single: whether all equally good methods are in one set, by all pairs with Holm's correction.
        detected: share of the pairs with a better method that differ.

    """

    old_single: bool
    single: bool
    detected: float


def board_tasks(design: SimulatedDesign, replicates: int, chunk: int) -> Iterator[Callable[[], list[Board]]]:
    """Yield the replicates of a design as functions for parallel execution, some at a time."""
    for start in range(0, replicates, chunk):
        yield partial(_boards, design, range(start, min(start + chunk, replicates)))


def _boards(design: SimulatedDesign, seeds: range) -> list[Board]:
    return [_board(design, np.random.default_rng((seed, design.n_units, N_METHODS))) for seed in seeds]


def _board(design: SimulatedDesign, rng: np.random.Generator) -> Board:
    equal = draw_predictions(design, [0.0] * N_METHODS, rng)
    one_better = draw_predictions(design, [BETTER] + [0.0] * (N_METHODS - 1), rng)
    resampled = resample([equal], design.n_units, design.n_classes, draws=DRAWS, rng=rng)
    of_equal, of_better = all_pairs_of(equal, design), all_pairs_of(one_better, design)
    return Board(
        old_single=set(rank_groups(resampled, of_equal.scores[0])) == {1},
        single=not any(of_equal.is_different(*pair) for pair in combinations(range(N_METHODS), 2)),
        detected=float(np.mean([of_better.is_different(0, other) for other in range(1, N_METHODS)])),
    )


def rank_groups(resampled: Resampled, macro_f1: NDArray[np.float64]) -> list[int]:
    """Return the rank group of each method, as they were defined until version 0.1.

    The first group has the best method and all methods whose percentile interval of the difference from it contains
    zero; the best of the rest leads the next group, and so on.

    Args:
        resampled: the methods in the draws of the bootstrap.
        macro_f1: macro F1 of each method on all objects, of shape (n_methods,).

    """
    groups = [0] * len(macro_f1)
    while 0 in groups:
        rest = [method for method, group in enumerate(groups) if group == 0]
        leader = max(rest, key=lambda method: float(macro_f1[method]))
        group = max(groups) + 1
        for method in rest:
            low, high = resampled.interval(leader, method)
            if low <= 0 <= high:
                groups[method] = group
    return groups


@dataclass(frozen=True)
class Training:
    """Design of runs of one algorithm with two sets of random seeds.

    Attributes:
        data: design of the whole data set.
        n_runs: number of runs.
        spread: standard deviation of the skill for a class between trained models.
        one_split: whether all runs test the same objects; otherwise each run draws its own.

    """

    data: SimulatedDesign
    n_runs: int
    spread: float
    one_split: bool

    def __str__(self) -> str:
        """Return the number of runs, splits and test objects, and the spread."""
        splits = "one split" if self.one_split else "new splits"
        n_test = round(TEST_SHARE * self.data.n_objects)
        return f"{self.n_runs} runs, {splits}, {n_test:,} test objects, spread of training {self.spread}"


class Seeds(NamedTuple):
    """Whether two sets of seeds of one algorithm are found to differ.

    Attributes:
        first_run: by the percentile interval of the first run.
        percentile: by the percentile interval of the mean over runs.
        corrected_t: by the corrected t test over runs.
        methods: by the interval of the methods.

    """

    first_run: bool
    percentile: bool
    corrected_t: bool
    methods: bool


def training_designs() -> Iterator[Training]:
    """Yield the designs: 2, 3, 5 and 10 runs; test objects or training as the larger source of variation."""
    small, large = SimulatedDesign(repeated(SUPPORTS, 14), 40, patchy=True), SimulatedDesign(repeated([1000], 10))
    for one_split in (False, True):
        for n_runs in (2, 3, 5, 10):
            yield Training(small, n_runs, 0.3, one_split)
            yield Training(large, n_runs, 0.3, one_split)


def training_tasks(training: Training, replicates: int, chunk: int) -> Iterator[Callable[[], list[Seeds]]]:
    """Yield the replicates of a design as functions for parallel execution, some at a time."""
    for start in range(0, replicates, chunk):
        yield partial(_trainings, training, range(start, min(start + chunk, replicates)))


def _trainings(training: Training, seeds: range) -> list[Seeds]:
    return [
        _training(training, np.random.default_rng((seed, training.n_runs, training.data.n_units))) for seed in seeds
    ]


def _training(training: Training, rng: np.random.Generator) -> Seeds:
    runs = list(_runs(training, rng))
    sizes = training.data.n_units, training.data.n_classes
    methods = AllPairs(
        np.stack([macro_f1_of(run, training.data.n_classes) for run in runs]),
        np.stack([macro_f1_without_each(run, *sizes) for run in runs]),
        0.0 if training.one_split else TEST_TO_TRAIN,
    )
    deltas = methods.scores[:, 0] - methods.scores[:, 1]
    first, pooled = (resample(some, *sizes, draws=DRAWS, rng=rng).interval(0, 1) for some in (runs[:1], runs))
    return Seeds(
        first_run=_excludes_zero(first),
        percentile=_excludes_zero(pooled),
        corrected_t=corrected_t(deltas, methods.test_to_train).p_value <= 1 - LEVEL,
        methods=methods.difference(0, 1).excludes_zero,
    )


def _runs(training: Training, rng: np.random.Generator) -> Iterator[PairedPredictions]:
    """Yield the predictions of two models of one algorithm in each run."""
    objects = draw_test_set(training.data, rng)
    of_samples = sample_effects(objects, 1, rng)  # the same for all models of an algorithm
    rows = _test_rows(training, rng)
    for _ in range(training.n_runs):
        of_models = rng.normal(0, training.spread, (2, training.data.n_classes))
        tested = objects.take(rows)
        yield tested.predicted(SKILL + of_samples[:, rows] + of_models[:, tested.truth], rng)
        if not training.one_split:
            rows = _test_rows(training, rng)


def _test_rows(training: Training, rng: np.random.Generator) -> NDArray[np.int64]:
    n = training.data.n_objects
    return np.sort(rng.choice(n, round(TEST_SHARE * n), replace=False))


def _excludes_zero(interval: tuple[float, float]) -> bool:
    return interval[0] > 0 or interval[1] < 0
