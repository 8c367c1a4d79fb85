"""Runs that several tracks have in common, on which they are compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .paired_evaluation import PairedEvaluation, Resampling, paired_evaluation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..results.section import TrackResult
    from ..results.stored_run import StoredRun

RunKey = tuple[str, int, str, tuple[str, ...]]
"""Split, seed, data hash and withheld classes of a run."""


@dataclass(frozen=True)
class CommonRuns:
    """Finished runs of several tracks on the same data, splits and seeds.

    Attributes:
        names: names of the tracks; none if no track has a finished run.
        keys: the key of the runs of each split and seed.
        runs: for each split and seed, the run of each track.
        incomplete: reasons why other tracks are not compared, by track name.

    """

    names: tuple[str, ...]
    keys: tuple[RunKey, ...]
    runs: tuple[tuple[StoredRun, ...], ...]
    incomplete: dict[str, str]

    @property
    def first(self) -> list[StoredRun]:
        """For each split and seed, the run of the first track."""
        return [of_split[0] for of_split in self.runs]

    def of_track(self, name: str) -> list[StoredRun]:
        """Return the runs of a track."""
        return [of_split[self.names.index(name)] for of_split in self.runs]

    def in_order(self, order: Sequence[int]) -> CommonRuns:
        """Return the same runs with the tracks in another order, given by their positions."""
        names = tuple(self.names[track] for track in order)
        return replace(self, names=names, runs=tuple(tuple(row[track] for track in order) for row in self.runs))

    def evaluation(self, resampling: Resampling | None = None) -> PairedEvaluation:
        """Return the paired evaluation of the tracks, in this order."""
        tables = [[run.predictions for run in of_split] for of_split in self.runs]
        return paired_evaluation(self.names, self.first, tables, resampling or Resampling())


def common_runs(tracks: Sequence[TrackResult]) -> CommonRuns:
    """Return the largest set of runs that more than half of the tracks share, in the order of the tracks.

    A track that lacks one of these is excluded, because its mean would be over different runs.
    """
    found = {track.name: _finished_runs(track) for track in tracks}
    shared = _shared_runs([frozenset(runs) for runs in found.values() if runs])
    names = tuple(name for name, runs in found.items() if shared and shared <= runs.keys())
    keys = tuple(sorted(shared))
    incomplete = {track.name: _reason(track, shared) for track in tracks if track.name not in names}
    return CommonRuns(names, keys, tuple(tuple(found[name][key] for name in names) for key in keys), incomplete)


def run_key(run: StoredRun) -> RunKey:
    """Return split, seed, data hash and withheld classes of a run."""
    data = run.card.data
    return run.card.split.name, run.card.split.seed, data.sha256, tuple(sorted(data.withheld))


def _finished_runs(track: TrackResult) -> dict[RunKey, StoredRun]:
    return {run_key(run): run for run in track.runs if run.card.status == "done"}


def _shared_runs(sets: Sequence[frozenset[RunKey]]) -> frozenset[RunKey]:
    """Return the largest set of runs that more than half of the tracks share.

    Sets are those of single tracks and what two of them have in common. If no set is shared by more than half, it is
    the one shared by most. Of sets of the same size it is the one shared by more tracks, then the first in sort order.
    """
    candidates = {one & other for one in sets for other in sets} - {frozenset()}
    n_tracks = {one: sum(one <= other for other in sets) for one in candidates}
    by_most = [one for one in candidates if 2 * n_tracks[one] > len(sets)]
    if not by_most:
        by_most = [one for one in candidates if n_tracks[one] == max(n_tracks.values())]
    return min(by_most, key=lambda one: (-len(one), -n_tracks[one], sorted(one)), default=frozenset())


def _reason(track: TrackResult, shared: frozenset[RunKey]) -> str:
    """Return why a track is not compared: the number of its finished runs, if there are any, and failures."""
    n_done = len(shared & _finished_runs(track).keys())
    counted = [f"{n_done} of {len(shared)} runs on the same data are done"] if track.scores else []
    return "; ".join([*counted, *track.reasons])
