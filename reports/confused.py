"""The most confused pairs of classes, and the objects behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from .sections import TrackResult

MOST_PAIRS = 8


@dataclass(frozen=True)
class Confusion:
    """One way in which a pair is confused.

    Attributes:
        truth: what the objects are.
        called: what they were called.
        count: how many test objects, over all runs.
        share: their share of the test objects of `truth`.
        object_ids: which, each once, sorted.

    """

    truth: str
    called: str
    count: int
    share: float
    object_ids: tuple[str, ...]


@dataclass(frozen=True)
class ConfusedPair:
    """Two classes that are taken for each other: the more frequent way first."""

    ways: tuple[Confusion, Confusion]

    @property
    def count(self) -> int:
        """Test objects that were confused either way."""
        return self.ways[0].count + self.ways[1].count


def confused_pairs(track: TrackResult, most: int = MOST_PAIRS) -> list[ConfusedPair]:
    """Return the pairs of classes that a track confuses most, by the number of objects either way, then by name."""
    calls = pd.concat([run.calls for run in track.runs if run.score is not None])
    support = calls["taxon"].value_counts()
    wrong = calls[calls["taxon"] != calls["called"]]
    found = {
        (truth, called): _confusion(truth, called, rows["object_id"], int(support[truth]))
        for (truth, called), rows in wrong.groupby(["taxon", "called"])
    }
    names = {tuple(sorted(key)) for key in found}
    pairs = [_pair(one, two, found, support) for one, two in names]
    return sorted(pairs, key=lambda pair: (-pair.count, pair.ways[0].truth, pair.ways[0].called))[:most]


def _pair(one: str, two: str, found: dict[tuple[str, str], Confusion], support: pd.Series) -> ConfusedPair:
    no_ids = pd.Series([], dtype="str")
    ways = [
        found.get((truth, called)) or _confusion(truth, called, no_ids, int(support.get(truth, 0)))
        for truth, called in ((one, two), (two, one))
    ]
    first, second = sorted(ways, key=lambda way: (-way.count, way.truth))
    return ConfusedPair((first, second))


def _confusion(truth: str, called: str, object_ids: pd.Series, support: int) -> Confusion:
    share = len(object_ids) / support if support else float("nan")
    return Confusion(truth, called, len(object_ids), share, tuple(sorted(set(object_ids))))
