"""Limits of sub-classes: sequences worked out by hand from algorithm 1 of source 003."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planktonbench import TrackError
from planktonbench.models.metric_learning.cluster_limits import ClusterLimits

HIGH, LOW, NONE = 0.31, 0.3, np.nan


def sequence(shares: list[float], most: int = 5) -> list[tuple[int, int]]:
    """Return limit and flag of a single class after each epoch."""
    state, found = ClusterLimits.start(1, most=most), []
    for share in shares:
        state = state.updated(np.array([share]))
        found.append((int(state.limits[0]), int(state.falling[0])))
    return found


def test_training_starts_undivided() -> None:
    """Limit 1 and flag 0 for each class; threshold and maximum of section 4.4."""
    start = ClusterLimits.start(3)

    assert start.limits.tolist() == [1, 1, 1]
    assert start.falling.tolist() == [False] * 3
    assert (start.threshold, start.most) == (0.3, 5)


@pytest.mark.parametrize(
    ("shares", "most", "expected"),
    [
        pytest.param(
            [HIGH] * 10,
            5,
            [(2, 0), (3, 0), (4, 0), (5, 1), (4, 1), (3, 1), (2, 1), (1, 0), (2, 0), (3, 0)],
            id="always confused: up to five, down to one, up again",
        ),
        pytest.param([LOW] * 3, 5, [(1, 0)] * 3, id="never above the threshold"),
        pytest.param(
            [HIGH, HIGH, LOW, LOW, HIGH], 5, [(2, 0), (3, 0), (3, 0), (3, 0), (4, 0)], id="rests at three, then rises"
        ),
        pytest.param(
            [HIGH, HIGH, HIGH, HIGH, LOW, HIGH, LOW, HIGH],
            5,
            [(2, 0), (3, 0), (4, 0), (5, 1), (5, 1), (4, 1), (4, 1), (3, 1)],
            id="the flag survives epochs without confusion",
        ),
        pytest.param([HIGH, NONE, HIGH], 5, [(2, 0), (2, 0), (3, 0)], id="an epoch without validation objects"),
        pytest.param([HIGH] * 4, 2, [(2, 1), (1, 0), (2, 1), (1, 0)], id="at most two"),
        pytest.param([HIGH] * 4, 1, [(1, 1), (1, 0), (1, 1), (1, 0)], id="at most one"),
    ],
)
def test_limits_follow_the_algorithm(shares: list[float], most: int, expected: list[tuple[int, int]]) -> None:
    """Limit and flag after each epoch."""
    assert sequence(shares, most) == expected


def test_classes_are_independent() -> None:
    """Each class has the sequence that it has alone, and the state that is updated does not change."""
    start = ClusterLimits.start(3)
    first = start.updated(np.array([HIGH, LOW, NONE]))
    second = first.updated(np.array([HIGH, HIGH, HIGH]))

    assert second.limits.tolist() == [3, 2, 2]
    assert first.limits.tolist() == [2, 1, 1]
    assert start.limits.tolist() == [1, 1, 1]


@given(st.lists(st.floats(0, 1), max_size=40), st.integers(2, 6), st.floats(0, 1))
def test_limits_change_by_one_between_one_and_the_maximum(shares: list[float], most: int, threshold: float) -> None:
    """A limit changes exactly when the class is above the threshold."""
    state = ClusterLimits.start(1, threshold=threshold, most=most)
    for share in shares:
        after = state.updated(np.array([share]))

        assert 1 <= after.limits[0] <= most
        assert abs(after.limits[0] - state.limits[0]) == (share > threshold)
        state = after


@pytest.mark.parametrize(("missed", "support"), [(3, 10), (6, 20), (9, 30), (21, 70)])
def test_a_share_equal_to_the_threshold_does_not_exceed_it(missed: int, support: int) -> None:
    """Three false negatives of ten are not more than 0.3, four are; also for other counts with that share."""
    shares = np.array([missed, missed + 1]) / support

    assert ClusterLimits.start(2).updated(shares).limits.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 30}, "threshold is 30; expected a share of false negatives, from 0 to 1"),
        ({"most": 0}, "most is 0; expected the largest number of sub-classes of a class, 1 or more"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, int], message: str) -> None:
    """The message states what was expected."""
    with pytest.raises(TrackError, match=message):
        ClusterLimits.start(2, **options)  # type: ignore[arg-type]
