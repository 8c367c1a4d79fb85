"""The two sides of a comparison: predictions files or stored runs, matched run by run, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...data_manifests.errors import DataError, SuiteError, did_you_mean, listed
from ..results.stored_run import StoredRun
from ..run_files.card import CARD, read_card
from ..run_files.predictions import DEFAULT_GROUP, Labels, match, read_labels
from ..run_files.run_folder import PREDICTIONS, RUNS
from ..scoring.score import Context
from ..scoring.signature import HASH_DIGITS
from .paired_evaluation import PairedEvaluation, Resampling, paired_evaluation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

RUN_DEPTH = 5  # runs/<dataset>/<track>/<split>/seed-<k>
Task = tuple[str, str]
"""Data set and split without the number of the fold."""
Place = tuple[str, int]
"""Split and seed of a run."""


@dataclass(frozen=True)
class Matched:
    """Contests that can be held, and what was left out.

    Attributes:
        evaluations: of two methods each.
        left_out: in words, what stands on one side alone.

    """

    evaluations: tuple[PairedEvaluation, ...]
    left_out: tuple[str, ...] = ()


def match_runs(
    a: Path,
    b: Path,
    *,
    truth: Path | None = None,
    group: str | None = None,
    tracks: tuple[str, str] | None = None,
    resampling: Resampling | None = None,
) -> Matched:
    """Find what can be compared between two paths.

    A path is a predictions file, the folder of a run, or any folder with runs below it: of a split, a track, a data
    set, or a whole results folder. Two files need a truth; a file beside a run is compared on the run's test objects.
    With runs of one track on either side these are compared, whatever they are called; else tracks of the same name
    are. Runs are matched by data set, split and seed.

    Args:
        a: path of the first side.
        b: path of the second.
        truth: a file with object_id, taxon and optionally a grouping column, on which both are compared; of a folder
            with one run, its predictions are taken.
        group: grouping column of the truth; None takes `sample` when there is one.
        tracks: that of the first side and that of the second, where folders hold several.
        resampling: draws and seed.

    Raises:
        SuiteError: a path is neither file nor folder of runs, or a truth is missing.
        SubmissionError: a file is no table of predictions of these objects.
        DataError: nothing is on both sides, or runs are of other data or other objects.

    """
    how, paths = resampling or Resampling(), (a, b)
    _refuse_missing(paths)
    if truth is not None:
        return Matched((_of_files(paths, read_labels(truth, "truth", group), how),))
    if group not in (None, DEFAULT_GROUP):
        message = f"--group is '{group}'; expected '{DEFAULT_GROUP}', the only group that runs store, or a --truth."
        raise SuiteError(message)
    if a.is_dir() and b.is_dir():
        return _of_runs(paths, tracks, how)
    if not (a.is_dir() or b.is_dir()):
        message = f"{a} and {b} are two files; expected --truth with their objects and taxa, or a folder of a run."
        raise SuiteError(message)
    return Matched((_of_file_and_run(paths, how),))


def _refuse_missing(paths: Iterable[Path]) -> None:
    missing = [path for path in paths if not path.exists()]
    if missing:
        message = f"{listed(missing)} does not exist; expected a predictions file or a folder of runs."
        raise SuiteError(message)


def finished_below(folder: Path) -> list[StoredRun]:
    """Read the finished runs in a folder, or below it, sorted by their folders; those that were set aside are not read.

    Raises:
        SuiteError: there is none.

    """
    root = folder.resolve()
    places = [path.parent for path in root.rglob(CARD) if path.parts[-RUN_DEPTH - 1 : -RUN_DEPTH] == (RUNS,)]
    cards = [(place, read_card(place)) for place in places if not place.name.startswith(".")]
    runs = [
        StoredRun(place.parents[RUN_DEPTH - 1], place, card) for place, card in cards if card and card.status == "done"
    ]
    if not runs:
        message = (
            f"{folder} holds no finished runs; expected a predictions file, the folder of a run "
            f"(OUT/{RUNS}/<dataset>/<track>/<split>/seed-<k>), or a folder with runs below it."
        )
        raise SuiteError(message)
    return sorted(runs, key=lambda run: run.folder)


def _names(paths: tuple[Path, Path]) -> tuple[str, str]:
    """Return the last parts of two paths, or all of them where the last are the same."""
    a, b = (path.resolve().name for path in paths)
    return (a, b) if a != b else (str(paths[0]), str(paths[1]))


def _only_run(folder: Path) -> StoredRun:
    done = finished_below(folder)
    if len(done) != 1:
        found = listed(run.folder.relative_to(run.out / RUNS) for run in done) or "none"
        message = (
            f"{folder} holds {len(done)} finished runs ({found}); "
            "to compare with a file, expected the folder of one run."
        )
        raise SuiteError(message)
    return done[0]


def _of_files(paths: tuple[Path, Path], known: Labels, how: Resampling) -> PairedEvaluation:
    files = [_only_run(path).folder / PREDICTIONS if path.is_dir() else path for path in paths]
    tables = [match(known, read_labels(file, "predictions")) for file in files]
    context = Context(data=Path(known.where).name)
    return PairedEvaluation(_names(paths), [tables], context, group=known.group, resampling=how)


def _of_file_and_run(paths: tuple[Path, Path], how: Resampling) -> PairedEvaluation:
    """Compare a file with the only run of a folder, on the run's test objects."""
    (run,) = (_only_run(path) for path in paths if path.is_dir())
    known = run.test_labels
    tables = [run.predictions if path.is_dir() else match(known, read_labels(path, "predictions")) for path in paths]
    names = [run.card.track.name if path.is_dir() else path.name for path in paths]
    return paired_evaluation(names, [run], [tables], how)


def _of_runs(paths: tuple[Path, Path], tracks: tuple[str, str] | None, how: Resampling) -> Matched:
    """Match runs of two folders by track, data set, split and seed."""
    a, b = (finished_below(path) for path in paths)
    evaluations, left_out = [], []
    for track_a, track_b in _track_pairs(a, b, paths) if tracks is None else [_known_tracks(a, b, paths, tracks)]:
        named = [f"{track_a} ({name})" for name in _names(paths)] if track_a == track_b else [track_a, track_b]
        found_a, found_b = by_task(a, track_a), by_task(b, track_b)
        for task in sorted(set(found_a) & set(found_b)):
            places = sorted(set(found_a[task]) & set(found_b[task]))
            pairs = [(found_a[task][place], found_b[task][place]) for place in places]
            for pair in pairs:
                _refuse_unlike(*pair)
            if pairs:
                tables = [[run.predictions for run in pair] for pair in pairs]
                evaluations.append(paired_evaluation(named, [run for run, _ in pairs], tables, how))
        left_out += _alone(found_a, found_b, named[0]) + _alone(found_b, found_a, named[1])
    if not evaluations:
        message = f"{paths[0]} and {paths[1]} have no finished run in common. {'; '.join(left_out)}."
        raise DataError(message)
    return Matched(tuple(evaluations), tuple(left_out))


def _track_pairs(a: Sequence[StoredRun], b: Sequence[StoredRun], paths: Sequence[Path]) -> list[tuple[str, str]]:
    """Pair the only track of each side, or else the tracks of the same name."""
    tracks = [sorted({run.card.track.name for run in runs}) for runs in (a, b)]
    if len(tracks[0]) == len(tracks[1]) == 1:
        return [(tracks[0][0], tracks[1][0])]
    common = sorted(set(tracks[0]) & set(tracks[1]))
    if not common:
        message = (
            f"{paths[0]} has the tracks {listed(tracks[0])}, {paths[1]} has {listed(tracks[1])}: none in common, and "
            f"not one each. Name two with --tracks, or the folder of one: OUT/{RUNS}/<dataset>/<track>."
        )
        raise DataError(message)
    return [(name, name) for name in common]


def _known_tracks(
    a: Sequence[StoredRun], b: Sequence[StoredRun], paths: Sequence[Path], tracks: tuple[str, str]
) -> tuple[str, str]:
    """Refuse a track that its side has not."""
    for runs, path, track in zip((a, b), paths, tracks, strict=True):
        known = {run.card.track.name for run in runs}
        if track not in known:
            message = f"{path} has no finished run of the track '{track}'. {did_you_mean(track, known)}"
            raise SuiteError(message)
    return tracks


def by_task(runs: Iterable[StoredRun], track: str) -> dict[Task, dict[Place, StoredRun]]:
    """Return the runs of a track by data set and split plan, and there by split and seed."""
    found: dict[Task, dict[Place, StoredRun]] = {}
    for run in runs:
        if run.card.track.name == track:
            task = run.card.data.name, run.card.split.plan
            found.setdefault(task, {})[run.card.split.name, run.card.split.seed] = run
    return found


def _alone(one: dict[Task, dict[Place, StoredRun]], other: dict[Task, dict[Place, StoredRun]], name: str) -> list[str]:
    """Tell which runs of one side the other has not."""
    runs = [
        f"{task[0]} {split} seed {seed}"
        for task, places in sorted(one.items())
        for split, seed in sorted(set(places) - set(other.get(task, {})))
    ]
    return [f"{name} alone has {listed(runs)}"] if runs else []


def _refuse_unlike(a: StoredRun, b: StoredRun) -> None:
    """Refuse runs of other data or other test objects.

    Raises:
        DataError: with what differs.

    """
    faults = []
    if a.card.data.sha256 != b.card.data.sha256:
        faults.append(f"data hash {a.card.data.sha256[:HASH_DIGITS]} against {b.card.data.sha256[:HASH_DIGITS]}")
    faults += _unlike_objects(a.test_labels.table, b.test_labels.table)
    if faults:
        message = (
            f"{a.folder} and {b.folder} cannot be compared: {'; '.join(faults)}. "
            "Expected runs of the same data and the same test objects: run both on the same files with this version."
        )
        raise DataError(message)


def _unlike_objects(a: pd.DataFrame, b: pd.DataFrame) -> list[str]:
    """Tell in words which test objects, taxa or samples differ."""
    both = a.merge(b, on="object_id", how="outer", suffixes=("_a", "_b"), indicator=True)
    faults = [
        f"{len(ids):,} test objects in the {word} alone: {listed(ids)}"
        for word, side in (("first", "left_only"), ("second", "right_only"))
        if len(ids := both.loc[both["_merge"] == side, "object_id"])
    ]
    shared = both[both["_merge"] == "both"]
    for column in ("taxon", "group"):
        if f"{column}_a" in shared:
            ids = shared.loc[shared[f"{column}_a"] != shared[f"{column}_b"], "object_id"]
            faults += [f"{len(ids):,} test objects have another {column}: {listed(ids)}"] if len(ids) else []
    return faults
