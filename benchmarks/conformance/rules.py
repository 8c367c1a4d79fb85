"""Conformance rules for tracks, each checked on synthetic objects within seconds."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...data_manifests.errors import TrackError, listed
from ...models.networks.missing_weights import MissingWeights
from ..execution.track_process import reason_of
from .trial_fit import NAMES, TrialFit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...models.protocol.track import Track
    from ...reports.tasks.task import Values

State = Literal["passed", "failed", "not tried"]


@dataclass(frozen=True)
class Rule:
    """A conformance rule.

    Attributes:
        name: one word.
        meaning: description of a track that follows the rule.
        check: raises `TrackError` if the rule is broken, or whatever the track itself raises; returns a remark or "".
        needs: name of the rule that must pass before; "" for none.

    """

    name: str
    meaning: str
    check: Callable[[TrialFit], str]
    needs: str = ""


@dataclass(frozen=True)
class Verdict:
    """Result of checking a rule.

    Attributes:
        rule: the rule.
        state: `passed`, `failed` or `not tried`.
        message: the problem with the expected behaviour, or a remark; may be empty.
        trace: traceback of an exception raised by the track; empty if there was none.

    """

    rule: Rule
    state: State
    message: str = ""
    trace: str = ""


def conformance(track: type[Track]) -> Iterator[Verdict]:
    """Check a track on synthetic objects, rule by rule.

    Args:
        track: class that was checked against the protocol (by `get_track`).

    Yields:
        The verdict on each rule of `RULES`, in order.

    Raises:
        MissingWeights: pretrained weights are not available, so nothing can be checked.

    """
    broken: set[str] = set()
    with TemporaryDirectory(prefix="planktonbench-") as folder:
        trial = TrialFit(track, Path(folder))
        for rule in RULES:
            verdict = Verdict(rule, "not tried", f"because '{rule.needs}' failed")
            if rule.needs not in broken:
                verdict = _checked(rule, trial)
            if verdict.state != "passed":
                broken.add(rule.name)
            yield verdict


def _checked(rule: Rule, trial: TrialFit) -> Verdict:
    try:
        return Verdict(rule, "passed", rule.check(trial))
    except MissingWeights:
        raise
    except TrackError as fault:
        return Verdict(rule, "failed", str(fault))
    except Exception as fault:  # noqa: BLE001 - any exception of a track is reported
        return Verdict(rule, "failed", f"it raised {reason_of(fault)}", traceback.format_exc())


def _is_made(trial: TrialFit) -> str:
    names, continued = trial.plain.base_models, trial.plain.continues
    built_on = [f"it is built on {listed(names)}, which are fitted first"] if names else []
    return "; ".join([*built_on, *([f"it continues {continued}, which is fitted first"] if continued else [])])


def _is_fitted(trial: TrialFit) -> str:
    _ = trial.first
    return ""


def _predicts(trial: TrialFit) -> str:
    _ = trial.output
    return ""


def _repeats(trial: TrialFit) -> str:
    _check_same(trial, trial.output, trial.predict(trial.first), "in a second call for the same objects")
    return ""


def _follows_order(trial: TrialFit) -> str:
    order = np.random.default_rng(1).permutation(len(trial.objects.test))
    found = np.empty_like(trial.output)
    found[order] = trial.predict(trial.first, order)
    _check_same(trial, trial.output, found, "for the same objects in another order")
    return ""


def _ignores_company(trial: TrialFit) -> str:
    n = len(trial.objects.test)
    found = trial.output.copy()
    for rows in (np.array([0]), np.arange(1, n, 2)):
        found[rows] = trial.predict(trial.first, rows)
        how = "for one object alone" if len(rows) == 1 else f"for {len(rows)} of the {n} objects alone"
        _check_same(trial, trial.output, found, how)
    return ""


def _draws_from_rng(trial: TrialFit) -> str:
    """Compare with the second fit; if that differs because of the ids alone, the third one does not."""
    found = trial.predict(trial.second)
    if trial.task.differs(trial.output, found).any():
        found = trial.predict(trial.third)
    how = "when fitted again with the same rng and another state of the global generators"
    hint = " Draw from rng alone: random_state=int(rng.integers(2**31)), not None, np.random or random."
    _check_same(trial, trial.output, found, how, hint)
    return ""


def _ignores_ids(trial: TrialFit) -> str:
    """Rename and reorder the objects to predict, and rename those of fit.

    The order of the objects of fit stays: `rng` draws rows by position, for batches or subsamples, so that another
    order is another draw. A fit that breaks the rule on `rng` cannot be compared.
    """
    hint = " Ids are hashes: use the features and images of objects, and ids only to look up their rows."
    _check_same(trial, trial.output, trial.predict_renamed(trial.first), "for the same objects under other ids", hint)
    found = trial.predict(trial.second)
    if (
        trial.task.differs(trial.output, found).any()
        and not trial.task.differs(trial.output, trial.predict(trial.third)).any()
    ):
        how = "when fitted to the same objects under other ids, with the same rng"
        _check_same(trial, trial.output, found, how, hint)
    return ""


def _sets_no_global_seed(trial: TrialFit) -> str:
    _ = trial.second
    (start, end), (other_start, other_end) = trial.generators[:2]
    for name, *states in zip(NAMES, start, other_start, end, other_end, strict=True):
        if states[0] != states[1] and states[2] == states[3]:
            message = (
                f"fit leaves the global generator {name} in the same state whatever its state before: it sets a fixed "
                "seed, so runs with different seeds are not independent repetitions. Draw all random numbers from rng."
            )
            raise TrackError(message)
    drawn = [name for name, before, after in zip(NAMES, start, end, strict=True) if before != after]
    return f"fit draws from the global {listed(drawn)}, which does not change its output" if drawn else ""


def _changes_nothing(trial: TrialFit) -> str:
    if trial.changed:
        message = f"{listed(trial.changed)}; expected unmodified arguments. Work on a copy."
        raise TrackError(message)
    return ""


def _is_kept(trial: TrialFit) -> str:
    """Compare predictions and embeddings with those of a new instance that was loaded."""
    if not trial.track.can_be_kept:
        return ""
    how, hint = "after save, and load in a new instance", " Save everything that fit has learnt and predict needs."
    _check_same(trial, trial.output, trial.predict(trial.restored), how, hint)
    expected, found = (track.embeddings(trial.objects.test) for track in (trial.first, trial.restored))
    if (expected is None) != (found is None) or (
        expected is not None and found is not None and not np.allclose(expected, found, rtol=1e-4, atol=1e-5)
    ):
        message = f"{how}, {trial.track.__name__} returns different embeddings; expected the same.{hint}"
        raise TrackError(message)
    return ""


def _check_same(trial: TrialFit, expected: Values, found: Values, how: str, hint: str = "") -> None:
    """Check that two outputs differ by no more than rounding.

    Raises:
        TrackError: they differ; the message lists the objects and both outputs for the first.

    """
    task, test = trial.task, trial.objects.test
    rows = np.flatnonzero(task.differs(expected, found))
    if not len(rows):
        return
    first = int(rows[0])
    message = (
        f"{how}, {trial.track.__name__} returns a different output for {len(rows)} of {len(test)} objects "
        f"({listed(test.object_ids[rows], 3)}; {test.object_ids[first]} has {task.as_text(found[first])}; expected "
        f"{task.as_text(expected[first])} as before).{hint}"
    )
    raise TrackError(message)


RULES = (
    Rule("made", "it can be constructed from the defaults of its options", _is_made),
    Rule(
        "fit",
        "it learns with missing values and with classes without training rows; test rows are not available",
        _is_fitted,
        needs="made",
    ),
    Rule(
        "output",
        "predict returns, without labels, what the task of the track asks for",
        _predicts,
        needs="fit",
    ),
    Rule("repeat", "two calls of predict return the same output", _repeats, needs="output"),
    Rule("order", "the output follows the order of the objects", _follows_order, needs="repeat"),
    Rule(
        "company",
        "the output for an object does not depend on which other objects are predicted in the same call",
        _ignores_company,
        needs="repeat",
    ),
    Rule("rng", "all randomness comes from rng", _draws_from_rng, needs="output"),
    Rule(
        "ids",
        "ids of objects, their order and file names do not affect the output",
        _ignores_ids,
        needs="order",
    ),
    Rule("global", "fit sets no global seed", _sets_no_global_seed, needs="output"),
    Rule("inputs", "fit and predict do not modify their arguments", _changes_nothing, needs="fit"),
    Rule(
        "kept",
        "if it can be kept, a new instance that loads its files returns the same output; no file is a pickle",
        _is_kept,
        needs="repeat",
    ),
)
"""The rules, in the order in which they are checked."""
