"""Matching of the two sides of a comparison: predictions files or stored runs, matched run by run."""

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
"""Data set and split, without the fold number."""
RunKey = tuple[str, int]
"""Split and seed of a run."""


@dataclass(frozen=True)
class Matched:
    """Matched runs of two sides, and runs without a counterpart.

    Attributes:
        evaluations: paired evaluations of two methods each.
        left_out: description of the runs that only one side has.

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
    """Match the runs or predictions of two paths.

    A path is a predictions file, the folder of a run, or any folder that contains runs: of a split, a track, a data
    set, or a whole results folder. Two files require a truth; a file and a run are compared on the run's test objects.
    If each side has runs of a single track, these are compared, regardless of their names; otherwise tracks of the same
    name are. Runs are matched by data set, split and seed.

    Args:
        a: path of the first side.
        b: path of the second side.
        truth: file with object_id, taxon and optionally a grouping column, on which both sides are compared; for a
            folder, the predictions of its only run are used.
        group: grouping column of the truth; by default, `sample` if present.
        tracks: track of the first and of the second side, for folders with several tracks.
        resampling: draws and seed.

    Raises:
        SuiteError: if a path is neither a file nor a folder of runs, or the truth is missing.
        SubmissionError: if a file is not a table of predictions of these objects.
        DataError: if the sides have no run in common, or the runs have different data or objects.

    """
    settings, paths = resampling or Resampling(), (a, b)
    _check_exist(paths)
    if truth is not None:
        return Matched((_match_files(paths, read_labels(truth, "truth", group), settings),))
    if group not in (None, DEFAULT_GROUP):
        message = f"--group is '{group}'; expected '{DEFAULT_GROUP}', the only group that runs store, or a --truth."
        raise SuiteError(message)
    if a.is_dir() and b.is_dir():
        return _match_folders(paths, tracks, settings)
    if not (a.is_dir() or b.is_dir()):
        message = f"{a} and {b} are two files; expected --truth with their objects and taxa, or the folder of a run."
        raise SuiteError(message)
    return Matched((_match_file_and_run(paths, settings),))


def _check_exist(paths: Iterable[Path]) -> None:
    missing = [path for path in paths if not path.exists()]
    if missing:
        message = f"{listed(missing)} does not exist; expected a predictions file or a folder of runs."
        raise SuiteError(message)


def finished_runs(folder: Path) -> list[StoredRun]:
    """Read the finished runs in a folder and its subfolders, sorted by path, except replaced runs.

    Raises:
        SuiteError: if there are none.

    """
    root = folder.resolve()
    folders = [path.parent for path in root.rglob(CARD) if path.parts[-RUN_DEPTH - 1 : -RUN_DEPTH] == (RUNS,)]
    cards = [(path, read_card(path)) for path in folders if not path.name.startswith(".")]
    runs = [
        StoredRun(path.parents[RUN_DEPTH - 1], path, card) for path, card in cards if card and card.status == "done"
    ]
    if not runs:
        message = (
            f"{folder} has no finished runs; expected a predictions file, the folder of a run "
            f"(OUT/{RUNS}/<dataset>/<track>/<split>/seed-<k>), or a folder that contains runs."
        )
        raise SuiteError(message)
    return sorted(runs, key=lambda run: run.folder)


def _names(paths: tuple[Path, Path]) -> tuple[str, str]:
    """Return the names of two paths, or the whole paths if the names are the same."""
    a, b = (path.resolve().name for path in paths)
    return (a, b) if a != b else (str(paths[0]), str(paths[1]))


def _only_run(folder: Path) -> StoredRun:
    runs = finished_runs(folder)
    if len(runs) != 1:
        found = listed(run.folder.relative_to(run.out / RUNS) for run in runs) or "none"
        message = (
            f"{folder} has {len(runs)} finished runs ({found}); "
            "for a comparison with a file, expected the folder of one run."
        )
        raise SuiteError(message)
    return runs[0]


def _run_with_objects_of(file: Path, folder: Path) -> StoredRun:
    """Return the only run of a folder or, of several, the only one whose test objects are those of a file."""
    runs = finished_runs(folder)
    if len(runs) > 1:
        ids = set(read_labels(file, "predictions").table["object_id"])
        runs = [run for run in runs if set(run.test_labels.table["object_id"]) == ids]
    return runs[0] if len(runs) == 1 else _only_run(folder)


def _match_files(paths: tuple[Path, Path], truth: Labels, resampling: Resampling) -> PairedEvaluation:
    files = [_only_run(path).folder / PREDICTIONS if path.is_dir() else path for path in paths]
    tables = [match(truth, read_labels(file, "predictions")) for file in files]
    context = Context(data=Path(truth.where).name)
    return PairedEvaluation(_names(paths), [tables], context, group=truth.group, resampling=resampling)


def _match_file_and_run(paths: tuple[Path, Path], resampling: Resampling) -> PairedEvaluation:
    """Match a file with the run of a folder that has the same test objects, on these."""
    (folder,), (file,) = ([path for path in paths if path.is_dir()], [path for path in paths if not path.is_dir()])
    run = _run_with_objects_of(file, folder)
    truth = run.test_labels
    tables = [run.predictions if path.is_dir() else match(truth, read_labels(path, "predictions")) for path in paths]
    names = [run.card.track.name if path.is_dir() else path.name for path in paths]
    return paired_evaluation(names, [run], [tables], resampling)


def _match_folders(paths: tuple[Path, Path], tracks: tuple[str, str] | None, resampling: Resampling) -> Matched:
    """Match runs of two folders by track, data set, split and seed."""
    a, b = (finished_runs(path) for path in paths)
    evaluations, left_out = [], []
    for track_a, track_b in _track_pairs(a, b, paths) if tracks is None else [_checked_tracks(a, b, paths, tracks)]:
        names = [f"{track_a} ({name})" for name in _names(paths)] if track_a == track_b else [track_a, track_b]
        found_a, found_b = runs_by_task(a, track_a), runs_by_task(b, track_b)
        for task in sorted(set(found_a) & set(found_b)):
            keys = sorted(set(found_a[task]) & set(found_b[task]))
            pairs = [(found_a[task][key], found_b[task][key]) for key in keys]
            for pair in pairs:
                _check_comparable(*pair)
            if pairs:
                tables = [[run.predictions for run in pair] for pair in pairs]
                evaluations.append(paired_evaluation(names, [run for run, _ in pairs], tables, resampling))
        left_out += _unmatched(found_a, found_b, names[0]) + _unmatched(found_b, found_a, names[1])
    if not evaluations:
        message = f"{paths[0]} and {paths[1]} have no finished run in common: {'; '.join(left_out)}."
        raise DataError(message)
    return Matched(tuple(evaluations), tuple(left_out))


def _track_pairs(a: Sequence[StoredRun], b: Sequence[StoredRun], paths: Sequence[Path]) -> list[tuple[str, str]]:
    """Pair the only track of each side, or otherwise the tracks of the same name."""
    tracks = [sorted({run.card.track.name for run in runs}) for runs in (a, b)]
    if len(tracks[0]) == len(tracks[1]) == 1:
        return [(tracks[0][0], tracks[1][0])]
    common = sorted(set(tracks[0]) & set(tracks[1]))
    if not common:
        message = (
            f"{paths[0]} has the tracks {listed(tracks[0])}, {paths[1]} has {listed(tracks[1])}: none in common. "
            f"Select two with --tracks, or give the folder of each track: OUT/{RUNS}/<dataset>/<track>."
        )
        raise DataError(message)
    return [(name, name) for name in common]


def _checked_tracks(
    a: Sequence[StoredRun], b: Sequence[StoredRun], paths: Sequence[Path], tracks: tuple[str, str]
) -> tuple[str, str]:
    """Return the requested tracks, or raise `SuiteError` if a side lacks its track."""
    for runs, path, track in zip((a, b), paths, tracks, strict=True):
        names = {run.card.track.name for run in runs}
        if track not in names:
            message = f"{path} has no finished run of the track '{track}'. {did_you_mean(track, names)}"
            raise SuiteError(message)
    return tracks


def runs_by_task(runs: Iterable[StoredRun], track: str) -> dict[Task, dict[RunKey, StoredRun]]:
    """Return the runs of a track, grouped by data set and split plan and then by split and seed."""
    found: dict[Task, dict[RunKey, StoredRun]] = {}
    for run in runs:
        if run.card.track.name == track:
            task = run.card.data.name, run.card.split.plan
            found.setdefault(task, {})[run.card.split.name, run.card.split.seed] = run
    return found


def _unmatched(
    one: dict[Task, dict[RunKey, StoredRun]], other: dict[Task, dict[RunKey, StoredRun]], name: str
) -> list[str]:
    """Describe the runs of one side that the other side lacks."""
    runs = [
        f"{task[0]} {split} seed {seed}"
        for task, keys in sorted(one.items())
        for split, seed in sorted(set(keys) - set(other.get(task, {})))
    ]
    return [f"only {name} has {listed(runs)}"] if runs else []


def _check_comparable(a: StoredRun, b: StoredRun) -> None:
    """Check that two runs have the same data and test objects.

    Raises:
        DataError: if they differ, with the differences.

    """
    differences = []
    if a.card.data.sha256 != b.card.data.sha256:
        differences.append(f"data hash {a.card.data.sha256[:HASH_DIGITS]} vs. {b.card.data.sha256[:HASH_DIGITS]}")
    if set(a.card.data.withheld) != set(b.card.data.withheld):
        texts = [listed(run.card.data.withheld) or "none" for run in (a, b)]
        differences.append(f"withheld classes {' vs. '.join(texts)}")
    differences += _object_differences(a.test_labels.table, b.test_labels.table)
    if differences:
        message = (
            f"{a.folder} and {b.folder} cannot be compared: {'; '.join(differences)}. "
            "Expected runs on the same data and test objects: run both on the same files with this version."
        )
        raise DataError(message)


def _object_differences(a: pd.DataFrame, b: pd.DataFrame) -> list[str]:
    """Describe which test objects, taxa or groups differ."""
    both = a.merge(b, on="object_id", how="outer", suffixes=("_a", "_b"), indicator=True)
    differences = [
        f"{len(ids):,} test objects only in the {word}: {listed(ids)}"
        for word, side in (("first", "left_only"), ("second", "right_only"))
        if len(ids := both.loc[both["_merge"] == side, "object_id"])
    ]
    shared = both[both["_merge"] == "both"]
    for column in ("taxon", "group"):
        if f"{column}_a" in shared:
            ids = shared.loc[shared[f"{column}_a"] != shared[f"{column}_b"], "object_id"]
            differences += [f"{len(ids):,} test objects differ in {column}: {listed(ids)}"] if len(ids) else []
    return differences
