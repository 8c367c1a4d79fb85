"""Conformance: the rules that every track keeps, each tried on made-up objects within seconds."""

from __future__ import annotations

import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...data_manifests.errors import TrackError, listed
from ...models.networks.missing_weights import MissingWeights
from ..execution.worker import reason_of
from .trial_fit import NAMES, TrialFit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ...models.protocol.track import Track

SAME = 1e-3
"""Largest difference of a score that rounding may make: a network adds up in another order when a batch is larger."""

State = Literal["passed", "failed", "not tried"]


@dataclass(frozen=True)
class Rule:
    """A rule of conformance.

    Attributes:
        name: one word.
        meaning: what a track does that keeps it.
        check: raises `TrackError` with the fault of a trial, or what the track itself raises; returns a remark or "".
        needs: the rule without which it cannot be tried; "" for none.

    """

    name: str
    meaning: str
    check: Callable[[TrialFit], str]
    needs: str = ""


@dataclass(frozen=True)
class Verdict:
    """What came of a rule.

    Attributes:
        rule: the rule.
        state: `passed`, `failed` or `not tried`.
        told: the fault beside what was expected, or a remark; empty when there is nothing to say.
        trace: the traceback of what the track raised; empty when it raised nothing.

    """

    rule: Rule
    state: State
    told: str = ""
    trace: str = ""


def conformance(track: type[Track]) -> Iterator[Verdict]:
    """Try a track on made-up objects, rule by rule.

    Args:
        track: the class, checked against the protocol (`get_track` does).

    Yields:
        What came of each rule of `RULES`, in their order.

    Raises:
        MissingWeights: pretrained weights cannot be had, so that nothing can be tried.

    """
    with tempfile.TemporaryDirectory() as folder:
        trial = TrialFit(track, Path(folder))
        broken: set[str] = set()
        for rule in RULES:
            verdict = Verdict(rule, "not tried", f"since '{rule.needs}' failed")
            if rule.needs not in broken:
                verdict = _tried(rule, trial)
            if verdict.state != "passed":
                broken.add(rule.name)
            yield verdict


def _tried(rule: Rule, trial: TrialFit) -> Verdict:
    try:
        return Verdict(rule, "passed", rule.check(trial))
    except MissingWeights:
        raise
    except TrackError as fault:
        return Verdict(rule, "failed", str(fault))
    except Exception as fault:  # noqa: BLE001 - whatever a track raises is its fault, and is told
        return Verdict(rule, "failed", f"it raised {reason_of(fault)}", traceback.format_exc())


def _is_made(trial: TrialFit) -> str:
    names = trial.plain.base_models
    return f"it is built on {listed(names)}, which are fitted before" if names else ""


def _is_fitted(trial: TrialFit) -> str:
    _ = trial.first
    return ""


def _predicts(trial: TrialFit) -> str:
    _ = trial.scores
    return ""


def _repeats(trial: TrialFit) -> str:
    _refuse_difference(trial, trial.scores, trial.asked(trial.first), "asked a second time for the same objects")
    return ""


def _follows_order(trial: TrialFit) -> str:
    order = np.random.default_rng(1).permutation(len(trial.made.test))
    found = np.empty_like(trial.scores)
    found[order] = trial.asked(trial.first, order)
    _refuse_difference(trial, trial.scores, found, "shown the same objects in another order")
    return ""


def _ignores_company(trial: TrialFit) -> str:
    n = len(trial.made.test)
    found = trial.scores.copy()
    for rows in (np.array([0]), np.arange(1, n, 2)):
        found[rows] = trial.asked(trial.first, rows)
        how = "one object alone" if len(rows) == 1 else f"{len(rows)} of the {n} objects alone"
        _refuse_difference(trial, trial.scores, found, f"shown {how}")
    return ""


def _draws_from_rng(trial: TrialFit) -> str:
    found = trial.asked(trial.second)
    how = "fitted again with the same rng, while the global generators stand elsewhere"
    hint = " Draw from rng alone: random_state=int(rng.integers(2**31)), not None, np.random or random."
    _refuse_difference(trial, trial.scores, found, how, hint)
    return ""


def _sets_no_global_seed(trial: TrialFit) -> str:
    _ = trial.second
    (start, end), (other_start, other_end) = trial.generators
    for name, *stood in zip(NAMES, start, other_start, end, other_end, strict=True):
        if stood[0] != stood[1] and stood[2] == stood[3]:
            message = (
                f"fit leaves the global generator {name} at one place wherever it stood before: it sets a seed of its "
                "own, so that runs with different seeds are no independent repetitions; expected draws from rng."
            )
            raise TrackError(message)
    drawn = [name for name, before, after in zip(NAMES, start, end, strict=True) if before != after]
    return f"fit draws from the global {listed(drawn)}, without which its scores stay the same" if drawn else ""


def _changes_nothing(trial: TrialFit) -> str:
    if trial.changed:
        message = f"{listed(trial.changed)}; expected the same after as before. Work on a copy."
        raise TrackError(message)
    return ""


def _refuse_difference(
    trial: TrialFit, expected: NDArray[np.float32], found: NDArray[np.float32], how: str, hint: str = ""
) -> None:
    """Refuse scores that differ by more than rounding explains.

    Raises:
        TrackError: with the objects, and both rows of the first.

    """
    distance = np.abs(expected - found).max(axis=1)
    if not (distance > SAME).any():
        return
    test = trial.made.test
    rows = np.flatnonzero(distance > SAME)
    first = int(rows[0])
    message = (
        f"{how}, {trial.track.__name__} gives {len(rows)} of {len(test)} objects other scores "
        f"({listed(test.object_ids[rows], 3)}; {test.object_ids[first]} has {_row(found[first])}; expected "
        f"{_row(expected[first])} as before, within {SAME:g}).{hint}"
    )
    raise TrackError(message)


def _row(scores: NDArray[np.float32]) -> str:
    return "[" + ", ".join(f"{score:.3f}" for score in scores) + "]"


RULES = (
    Rule("made", "it is made from its options' defaults", _is_made),
    Rule(
        "fit",
        "it learns, with missing values and with classes that have no training row; there is no test row to see",
        _is_fitted,
        needs="made",
    ),
    Rule(
        "scores",
        "predict returns probabilities, a row for each object and a column for each class, without seeing labels",
        _predicts,
        needs="fit",
    ),
    Rule("repeat", "asked twice, it says the same twice", _repeats, needs="scores"),
    Rule("order", "rows of scores follow the order of the objects", _follows_order, needs="repeat"),
    Rule(
        "company",
        "an object's scores do not depend on what else is predicted with it",
        _ignores_company,
        needs="repeat",
    ),
    Rule("rng", "all randomness comes from rng", _draws_from_rng, needs="scores"),
    Rule("global", "fit sets no global seed", _sets_no_global_seed, needs="scores"),
    Rule("inputs", "fit and predict leave what they are given as it was", _changes_nothing, needs="fit"),
)
"""The rules, in the order in which they are tried."""
