"""False alarms and power if some of eleven methods train more variably than the others, by simulation.

Scores of samples are normal, so that methods of different variability are exactly equally good. Training is the larger
source of variation: its standard deviation is twice the standard error of a method over samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...reports.comparisons.all_pairs import AllPairs
from ...reports.comparisons.moderated_variance import posterior_variances
from ...reports.comparisons.over_datasets import holm
from ...reports.scoring.estimate import LEVEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from ...reports.scoring.estimate import Estimate

N_METHODS, N_SAMPLES = 11, 40
SCORE, SPREAD, SAMPLE_ERROR = 0.7, 0.01, 0.005
BETTER = 5 * SPREAD  # by which the second method is better than the others, for the power
WORSE = 30 * SPREAD  # by which the first method, which may train more variably, is worse, for the power of its pairs
METHODS = ("own", "both", "raised", "range")
"""The variances over runs: of each pair alone, moderated in both directions, and only raised by moderation, each with
Holm's correction; and raised, with the quantile of the studentized range for variances of their own (in use)."""


@dataclass(frozen=True)
class UnequalTraining:
    """Design of eleven methods over several runs on one split.

    Attributes:
        n_runs: number of runs.
        name: how much the methods vary over runs.
        relative: standard deviation of each method over runs, relative to `SPREAD`, of length n_methods; 0 for
            deterministic ones.

    """

    n_runs: int
    name: str
    relative: tuple[float, ...]

    def __str__(self) -> str:
        """Return the number of runs and how much the methods vary."""
        return f"{self.n_runs} runs, {self.name}"

    @property
    def spreads(self) -> NDArray[np.float64]:
        """Standard deviation of each method over runs, of shape (n_methods,)."""
        return SPREAD * np.array(self.relative)


def one_variable(n_runs: int, times: float) -> UnequalTraining:
    """Return the design in which the first method has so many times the spread of the others."""
    return UnequalTraining(n_runs, f"one method with {times:.0f} times the spread", (times, *[1.0] * (N_METHODS - 1)))


class Verdicts(NamedTuple):
    """Outcome of a replicate, each of shape (n_kinds,) in the order of `METHODS`.

    Attributes:
        alarms: share of the pairs with the first method whose interval excludes zero.
        family: whether any pair differs, corrected for all pairs.
        power: share of the pairs of a better method with the last nine that differ, corrected.
        first: share of the pairs of the first method that differ, corrected, if it is much worse.

    """

    alarms: NDArray[np.float64]
    family: NDArray[np.float64]
    power: NDArray[np.float64]
    first: NDArray[np.float64]


def unequal_designs() -> Iterator[UnequalTraining]:
    """Yield the designs, for 2, 3 and 5 runs.

    One of the methods has 1, 2, 3 or 5 times the spread of the others, five of eleven have 5 times the spread, spreads
    are from 1 to 10 times the smallest one, or all but one method are deterministic.
    """
    for n_runs in (2, 3, 5):
        for times in (1, 2, 3, 5):
            yield one_variable(n_runs, times)
        yield UnequalTraining(n_runs, "five methods with 5 times the spread", (*[5.0] * 5, *[1.0] * 6))
        yield UnequalTraining(n_runs, "1 to 10 times the spread", tuple(np.geomspace(10, 1, N_METHODS).tolist()))
        yield UnequalTraining(n_runs, "one method varies, ten are deterministic", (1.0, *[0.0] * 10))


def unequal_tasks(design: UnequalTraining, replicates: int, chunk: int) -> Iterator[Callable[[], list[Verdicts]]]:
    """Yield the replicates of a design as functions for parallel execution, some at a time."""
    for start in range(0, replicates, chunk):
        yield partial(_verdicts, design, range(start, min(start + chunk, replicates)))


def _verdicts(design: UnequalTraining, seeds: range) -> list[Verdicts]:
    return [_replicate(design, np.random.default_rng((seed, design.n_runs))) for seed in seeds]


def _replicate(design: UnequalTraining, rng: np.random.Generator) -> Verdicts:
    scores = _scores(design, rng)
    better = scores + BETTER * (np.arange(N_METHODS) == 1)[:, None]
    worse = scores - WORSE * (np.arange(N_METHODS) == 0)[:, None]
    null, of_better, of_worse = (_different(_board(of)) for of in (scores, better, worse))
    first, second = np.array(list(combinations(range(N_METHODS), 2))).T
    return Verdicts(
        alarms=np.array([by_interval[first == 0].mean() for by_interval, _ in null]),
        family=np.array([float(corrected.any()) for _, corrected in null]),
        power=np.array([corrected[(first == 1) & (second > 1)].mean() for _, corrected in of_better]),
        first=np.array([corrected[first == 0].mean() for _, corrected in of_worse]),
    )


def _board(scores: NDArray[np.float64]) -> AllPairs:
    return AllPairs(scores.mean(axis=2), (scores.sum(axis=2, keepdims=True) - scores) / (N_SAMPLES - 1))


def _scores(design: UnequalTraining, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the score of each sample, of shape (n_runs, n_methods, n_samples).

    Half of the variance over samples is that of the method in all runs, half that of the single model, which is the
    same in all runs if the method is deterministic.
    """
    shape = (design.n_runs, N_METHODS, N_SAMPLES)
    of_methods, of_models = rng.normal(size=shape[1:]), rng.normal(size=shape)
    of_models[:, design.spreads == 0] = of_models[0, design.spreads == 0]
    of_training = rng.normal(size=shape[:2]) * design.spreads
    of_samples = (of_methods + of_models) * SAMPLE_ERROR * np.sqrt(N_SAMPLES / 2)
    return np.asarray(SCORE + of_samples + of_training[:, :, None])


def _different(board: AllPairs) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Return which pairs differ by their intervals and corrected for all pairs, in the order of `METHODS`.

    Pairs are in the order (a, b), a < b.
    """
    values = [board.pair_values(*pair) for pair in board.differences]
    variances, own_df = np.array([one.variance for one in values]), values[0].df
    moderated, df = posterior_variances(variances, own_df, N_METHODS - 1) if board.is_moderated else (variances, own_df)
    own, both = (
        [one.of_method(variance, float(degrees)) for one, variance in zip(values, kept.tolist(), strict=True)]
        for kept, degrees in ((variances, own_df), (moderated, df))
    )
    raised = list(board.differences.values())
    corrected = np.array([board.is_different(*pair) for pair in board.differences])
    return [*(_by_holm(found) for found in (own, both, raised)), (_by_interval(raised), corrected)]


def _by_holm(found: Sequence[Estimate]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    by_interval = _by_interval(found)
    p_values = np.array([one.p_value if excludes else 1.0 for one, excludes in zip(found, by_interval, strict=True)])
    return by_interval, holm(p_values) <= 1 - LEVEL  # p-values above the level do not change what is below it


def _by_interval(found: Sequence[Estimate]) -> NDArray[np.bool_]:
    return np.array([one.excludes_zero for one in found])
