"""Store of runs: folders are written atomically, and finished runs are never lost."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from ...data_manifests.errors import DataError, listed
from ...data_manifests.files.atomic_writes import atomic_folder, atomic_write, write_errors
from ...data_manifests.files.tables import table_sha256
from ...data_manifests.seeds import sha256_file, sha256_text
from ...models.kept.model_facts import MODEL, model_files
from ...reports.run_files.card import CARD, Card, read_card
from ...reports.run_files.run_folder import REPLACED, RUNS, run_folder, truth_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pandas as pd

    from ...data_manifests.splits import Split

IDENTITY = (
    "data_sha256", "manifest_sha256", "withheld", "track_sha256", "config", "features", "base_runs", "split", "quick",
)  # fmt: skip
"""Facts that must be equal for a stored run to be the requested one; data set, track and seed are in its path."""

ADVICE = "Free some space or choose another folder; finished runs are kept."
CANNOT_WRITE = 5
"""Exit code of a worker that could not write to the results folder."""


class RefusedWriteError(OSError):
    """A worker could not write to the results folder."""


@contextmanager
def reported_write_errors(out: Path) -> Iterator[None]:
    """Turn write errors in a results folder (full disk, no permission) into a message.

    Raises:
        DataError: the folder cannot be written, here or in a worker; other errors are passed on.

    """
    try:
        with write_errors(out, ADVICE):
            yield
    except RefusedWriteError as fault:
        message = f"{out} cannot be written: {fault}. {ADVICE}"
        raise DataError(message) from fault


def lock(out: Path, name: str) -> FileLock:
    """Return the lock of a job (by its folder's name) or of the whole results folder; released with its process."""
    folder = out / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{sha256_text(name)[:24]}.lock")


def job_lock(out: Path, card: Card) -> FileLock:
    """Return the lock of one job."""
    return lock(out, str(run_folder(out, card).relative_to(out)))


def differences(stored: Card, wanted: Card) -> list[str]:
    """Return descriptions of the differences between a stored run and the requested one."""
    found, asked = stored.flat(), wanted.flat()
    changed = [name for name in IDENTITY if found[name] != asked[name]]
    descriptions = {
        "data_sha256": "the data",
        "manifest_sha256": "the manifest",
        "withheld": f"withheld classes: {_names(stored.data.withheld)} → {_names(wanted.data.withheld)}",
        "track_sha256": "the source code of the track",
        "config": ", ".join(_changes("option", stored.track.config, wanted.track.config)),
        "features": _changed_features(stored.track.features, wanted.track.features),
        "base_runs": ", ".join(_changes("base run", stored.track.base_runs, wanted.track.base_runs)),
        "quick": f"quick was {stored.quick}",
    }
    return [descriptions.get(name, name) for name in changed]


def _names(classes: list[str]) -> str:
    return listed(classes) or "none"


def _changed_features(stored: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Describe a changed feature table: by its kind or version, else by measurement settings, else by its values."""
    for name in ("table", "version"):
        if stored.get(name) != wanted.get(name):
            return f"feature {name}: {stored.get(name)} → {wanted.get(name)}"
    settings = [{key: value for key, value in one.items() if key != "values_sha256"} for one in (stored, wanted)]
    return ", ".join(_changes("measured with", *settings)) or "the measured values"


def _changes(noun: str, stored: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    return [
        f"{noun} {name}: {stored.get(name)} → {wanted.get(name)}"
        for name in sorted({*stored, *wanted})
        if stored.get(name) != wanted.get(name)
    ]


def is_finished(out: Path, wanted: Card, *, with_model: bool = False) -> bool:
    """Return whether exactly this run is stored as done, or as skipped for the same reason if it is to be skipped.

    Args:
        out: the results folder.
        wanted: card of the requested run.
        with_model: whether a run that is done must have a kept model.

    """
    folder = run_folder(out, wanted)
    stored = read_card(folder)
    if stored is None or differences(stored, wanted):
        return False
    if stored.status == "done":
        return has_model(folder) or not with_model
    return stored.status == wanted.status == "skipped" and stored.reason == wanted.reason


def has_model(folder: Path) -> bool:
    """Return whether the folder of a run contains all files of a kept model."""
    card = read_card(folder)
    names = card.hashes.model if card is not None else {}
    return bool(names) and all((folder / MODEL / name).is_file() for name in names)


def is_done(folder: Path) -> bool:
    """Return whether a folder contains a run with status done."""
    card = read_card(folder)
    return card is not None and card.status == "done"


def scratch_folder(out: Path, wanted: Card) -> Path:
    """Return the folder for the checkpoints of a job; checkpoints made with other settings are removed.

    The caller must hold the job's lock.
    """
    folder = _scratch_of(out, wanted)
    identity = {name: value for name, value in wanted.flat().items() if name in IDENTITY}
    own = folder / sha256_text(json.dumps(identity, sort_keys=True))[:24]
    for other in folder.glob("*"):
        if other != own:
            shutil.rmtree(other)
    own.mkdir(parents=True, exist_ok=True)
    return own


def drop_scratch(out: Path, card: Card) -> None:
    """Remove the checkpoints of a finished job.

    The caller must hold the job's lock.
    """
    shutil.rmtree(_scratch_of(out, card), ignore_errors=True)


def drop_stale_scratch(out: Path, card: Card) -> None:
    """Remove checkpoints of a finished job left by a killed process, unless another process is working on the job."""
    if _scratch_of(out, card).exists():
        with suppress(Timeout), job_lock(out, card).acquire(blocking=False):
            drop_scratch(out, card)


def _scratch_of(out: Path, card: Card) -> Path:
    return out / ".scratch" / sha256_text(str(run_folder(out, card).relative_to(out)))[:24]


def store_run(out: Path, card: Card, tables: dict[str, pd.DataFrame], model: Path | None = None) -> Path:
    """Store a run atomically: write to a temporary folder, flush, rename; an older finished run moves to `replaced/`.

    The caller must hold the job's lock.

    Args:
        out: the results folder.
        card: the card of the run; the hashes of tables and model are added.
        tables: tables by the name of their parquet file.
        model: folder of the model to be kept, in the results folder; it is moved. None for no model.

    Returns:
        The run's folder.

    """
    final = run_folder(out, card)
    card = card.changed(
        tables_sha256={name: table_sha256(table) for name, table in tables.items()},
        model_sha256={} if model is None else model_hashes(model),
    )
    with _new_run(out, final) as new:
        if model is not None:
            shutil.move(model, new / MODEL)
        for name, table in tables.items():
            table.to_parquet(new / name, index=False)
        (new / CARD).write_text(card.to_text(), encoding="utf-8")
    return final


def store_files(out: Path, card: Card, files: Mapping[str, bytes]) -> Path:
    """Store a run that was made on another machine, as `store_run` does.

    The caller must hold the job's lock.

    Args:
        out: the results folder.
        card: the card of the run, or its draft.
        files: contents of the files of the run's folder, by path in it.

    Returns:
        The run's folder.

    """
    final = run_folder(out, card)
    with _new_run(out, final) as new:
        for name, content in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_bytes(content)
    return final


def model_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in the folder of a model, by path in it."""
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in model_files(folder)}


def _new_run(out: Path, final: Path) -> AbstractContextManager[Path]:
    """Return the context of a temporary folder that becomes the folder of a run."""
    return atomic_folder(final, move_existing=lambda folder: set_aside(out, folder))


def set_aside(out: Path, folder: Path) -> None:
    """Clear the folder of a run: a finished run moves to `replaced/`, named by its time; others are removed."""
    if not folder.exists():
        return
    card = read_card(folder)
    if card is None or card.status != "done":
        shutil.rmtree(folder)
        return
    stamp = card.created.replace(":", "")
    target = out / REPLACED / folder.relative_to(out / RUNS).with_name(f"{folder.name}-{stamp}")
    number = 1
    while target.exists():
        number += 1
        target = target.with_name(f"{folder.name}-{stamp}-{number}")
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(target)


def store_truth(out: Path, dataset: str, split: Split) -> list[Path]:
    """Store the subset of each object, if not yet stored; runs with an older truth are set aside.

    Returns:
        The run folders that were set aside.

    """
    import pandas as pd

    path = truth_path(out, dataset, split.name, split.seed)
    if path.is_file() and pd.read_parquet(path).astype("str").equals(split.table):
        return []
    outdated = list((out / RUNS / dataset).glob(f"*/{split.name}/seed-{split.seed}")) if path.is_file() else []
    for folder in outdated:
        set_aside(out, folder)
    atomic_write(path, lambda new: split.table.to_parquet(new, index=False))
    return outdated
