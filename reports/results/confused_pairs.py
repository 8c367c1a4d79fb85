"""Most frequent confusions of classes, with the objects concerned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection

    from .section import TrackResult

MOST_PAIRS = 8


@dataclass(frozen=True)
class Confusion:
    """One direction of the confusion of a pair.

    Attributes:
        truth: true taxon of the objects.
        predicted: predicted taxon.
        count: number of test objects over all runs.
        share: `count` as a share of the test objects of `truth`.
        object_ids: unique ids of these objects, sorted.

    """

    truth: str
    predicted: str
    count: int
    share: float
    object_ids: tuple[str, ...]


@dataclass(frozen=True)
class ConfusedPair:
    """Two classes that are confused with each other; the more frequent direction comes first."""

    ways: tuple[Confusion, Confusion]

    @property
    def count(self) -> int:
        """Number of test objects confused in either direction."""
        return self.ways[0].count + self.ways[1].count


def confused_pairs(track: TrackResult, most: int = MOST_PAIRS) -> list[ConfusedPair]:
    """Return the pairs of classes that a track confuses most, sorted by number of objects and then by name."""
    predictions = pd.concat([run.predictions for run in track.runs if run.score is not None])
    support = {str(taxon): int(count) for taxon, count in predictions["taxon"].value_counts().items()}
    wrong = predictions[predictions["taxon"] != predictions["predicted"]]
    ids: dict[tuple[str, str], list[str]] = {}
    for truth, predicted, object_id in zip(wrong["taxon"], wrong["predicted"], wrong["object_id"], strict=True):
        ids.setdefault((truth, predicted), []).append(object_id)
    names = {(min(key), max(key)) for key in ids}
    pairs = [_pair(one, two, ids, support) for one, two in names]
    return sorted(pairs, key=lambda pair: (-pair.count, pair.ways[0].truth, pair.ways[0].predicted))[:most]


def frequent_confusions(
    track: TrackResult, truths: Collection[str], predicted: Collection[str], most: int
) -> list[Confusion]:
    """Return the most frequent errors of a track with certain true and predicted classes.

    Args:
        track: a track; test objects of all its runs count.
        truths: true classes.
        predicted: predicted classes.
        most: largest number of confusions.

    Returns:
        The confusions, sorted by number of objects and then by name.

    """
    rows = pd.concat([run.predictions for run in track.runs if run.score is not None])
    wrong = rows[rows["taxon"] != rows["predicted"]]
    chosen = wrong[wrong["taxon"].isin(list(truths)) & wrong["predicted"].isin(list(predicted))]
    cells = chosen.groupby(["taxon", "predicted"])["object_id"]
    support = rows["taxon"].value_counts()
    largest = cells.size().sort_values(ascending=False, kind="stable").index[:most]
    return [
        _confusion(truth, other, list(cells.get_group((truth, other))), int(support[truth])) for truth, other in largest
    ]


def _pair(one: str, two: str, ids: dict[tuple[str, str], list[str]], support: dict[str, int]) -> ConfusedPair:
    ways = [
        _confusion(truth, predicted, ids.get((truth, predicted), []), support.get(truth, 0))
        for truth, predicted in ((one, two), (two, one))
    ]
    first, second = sorted(ways, key=lambda way: (-way.count, way.truth))
    return ConfusedPair((first, second))


def _confusion(truth: str, predicted: str, object_ids: list[str], support: int) -> Confusion:
    share = len(object_ids) / support if support else float("nan")
    return Confusion(truth, predicted, len(object_ids), share, tuple(sorted(set(object_ids))))
