"""Base and low-shot classes of a split, as stated by the cards of runs of weight imprinting.

Base classes have more training objects than a threshold, and low-shot classes are the others (Schröder et al. 2018,
section 5.3). Other tracks on the same split and seed are scored by the same groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from .section import Section
    from .stored_run import StoredRun

BASE, LOW_SHOT = "base", "low-shot"
SplitKey = tuple[str, str, int]
"""Data set, split and seed of a run."""


@dataclass(frozen=True)
class ClassGroups:
    """Base and low-shot classes of a split; classes without training objects are in neither group.

    Attributes:
        base: classes that the base model was trained on.
        low_shot: classes with fewer training objects.
        threshold: number of training objects that divides them; None if it is not stated.

    """

    base: frozenset[str]
    low_shot: frozenset[str]
    threshold: float | None

    def classes(self) -> dict[str, frozenset[str]]:
        """Return the classes of each group by its name."""
        return {BASE: self.base, LOW_SHOT: self.low_shot}


def stated_groups(run: StoredRun) -> ClassGroups | None:
    """Return the groups that the card of a finished run states; None if it states none."""
    chosen = run.card.track.chosen or {}
    if run.card.status != "done" or "base_classes" not in chosen:
        return None
    base = frozenset(map(str, chosen["base_classes"]))
    low_shot = chosen.get("low_shot_classes")
    if low_shot is None:
        low_shot = set(run.truth.loc[run.truth["part"] == "train", "taxon"]) - base
    return ClassGroups(base, frozenset(map(str, low_shot)), chosen.get("threshold"))


def groups_by_split(runs: Iterable[StoredRun]) -> dict[SplitKey, list[ClassGroups]]:
    """Return the distinct groups that the runs of each split and seed state; one, unless thresholds differ."""
    found: dict[SplitKey, list[ClassGroups]] = {}
    for run in runs:
        groups = stated_groups(run)
        if groups is not None and groups not in found.setdefault(split_key(run), []):
            found[split_key(run)].append(groups)
    return found


def split_key(run: StoredRun) -> SplitKey:
    """Return data set, split and seed of a run."""
    return run.card.data.name, run.card.split.name, run.card.split.seed


def groups_of(run: StoredRun, by_split: Mapping[SplitKey, Collection[ClassGroups]]) -> ClassGroups | str:
    """Return the groups by which a run is scored: its own, or those of the imprinting runs on its split and seed.

    Returns:
        The groups, or the reason why there are none.

    """
    own, others = stated_groups(run), by_split.get(split_key(run), [])
    if own is not None:
        return own
    if not others:
        return "no run of weight imprinting on this split and seed states base classes"
    if len(others) > 1:
        return "the runs of weight imprinting on this split and seed state different base classes"
    return next(iter(others))


def pooled_groups(section: Section) -> ClassGroups | None:
    """Return one pair of groups for all splits of a section, in which each class is where most of its splits have it.

    Returns:
        The groups with the mean of the stated thresholds; None if no run states groups.

    """
    found = [groups for groups_of_split in groups_by_split(section.runs).values() for groups in groups_of_split]
    if not found:
        return None
    classes = frozenset().union(*(groups.base | groups.low_shot for groups in found))
    votes = {name: sum((name in one.base) - (name in one.low_shot) for one in found) for name in classes}
    base = frozenset(name for name, vote in votes.items() if vote > 0)
    thresholds = [groups.threshold for groups in found if groups.threshold is not None]
    return ClassGroups(base, classes - base, float(np.mean(thresholds)) if thresholds else None)
