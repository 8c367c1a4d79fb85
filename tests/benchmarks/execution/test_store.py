"""Store of runs: complete folders or none, and finished runs are never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from planktonbench.benchmarks.execution.store import (
    differences,
    drop_stale_scratch,
    is_finished,
    job_lock,
    scratch_folder,
    set_aside,
    store_files,
    store_run,
)
from planktonbench.data_manifests.files.tables import table_sha256
from planktonbench.reports.run_files.card import Card, read_card
from planktonbench.reports.run_files.run_folder import run_folder

if TYPE_CHECKING:
    from pathlib import Path

TABLES = {"predictions.parquet": pd.DataFrame({"object_id": ["1"], "taxon": ["a"]})}


def card(**changes: object) -> Card:
    """Return the card of a finished run with changed facts."""
    facts = {
        "dataset": "d", "manifest_sha256": "m", "data_sha256": "h", "track": "t", "config": {"track": "t", "alpha": 1},
        "split": "holdout.v1", "seed": 0, "status": "done", "n_train": 1, "n_valid": 1, "n_test": 1, "classes": ["a"],
        "threads": 1, "quick": False, "track_sha256": "s", "versions": {}, "created": "2020-01-01T00:00:00+00:00",
    }  # fmt: skip
    return Card.of(**{**facts, **changes})


def test_a_run_is_stored_completely(tmp_path: Path) -> None:
    """The folder contains card and tables, and no temporary folder remains."""
    folder = store_run(tmp_path, card(), TABLES)

    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "predictions.parquet"]
    assert [path.name for path in folder.parent.iterdir()] == ["seed-0"]
    stored = read_card(folder)
    assert stored is not None
    assert stored.changed(tables_sha256={}) == card()
    assert stored.hashes.tables == {
        "predictions.parquet": table_sha256(pd.read_parquet(folder / "predictions.parquet"))
    }


def test_a_run_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """If a table cannot be written, no new folder exists and the old one is kept."""

    class Unwritable(pd.DataFrame):
        def to_parquet(self, *_: object, **__: object) -> None:  # type: ignore[override]
            message = "No space left on device"
            raise OSError(message)

    old = store_run(tmp_path, card(), TABLES)
    with pytest.raises(OSError, match="No space"):
        store_run(tmp_path, card(data_sha256="new"), {"predictions.parquet": Unwritable()})

    stored = read_card(old)
    assert stored is not None
    assert stored.data == card().data
    assert [path.name for path in old.parent.iterdir()] == ["seed-0"]


def test_a_run_of_another_machine_is_stored_with_the_same_bytes(tmp_path: Path) -> None:
    """It replaces an older one as usual."""
    folder = store_run(tmp_path / "there", card(), TABLES)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    store_run(tmp_path / "here", card(data_sha256="old"), TABLES)
    stored = store_files(tmp_path / "here", card(), files)

    assert stored.relative_to(tmp_path / "here") == folder.relative_to(tmp_path / "there")
    assert {path.name: path.read_bytes() for path in stored.iterdir()} == files
    assert [path.name for path in stored.parent.iterdir()] == ["seed-0"]
    assert len(list((tmp_path / "here" / "replaced").rglob("card.json"))) == 1


def test_an_incomplete_folder_of_a_killed_process_is_replaced(tmp_path: Path) -> None:
    """The incomplete folder of an earlier process is overwritten."""
    part = run_folder(tmp_path, card()).with_name(".seed-0.part")
    part.mkdir(parents=True)
    (part / "predictions.parquet").write_bytes(b"half")
    folder = store_run(tmp_path, card(), TABLES)

    assert not part.exists()
    assert len(pd.read_parquet(folder / "predictions.parquet")) == 1


def test_stale_checkpoints_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    """They are kept while a process holds the lock of the job."""
    scratch = scratch_folder(tmp_path, card())
    with job_lock(tmp_path, card()):
        drop_stale_scratch(tmp_path, card())
        assert scratch.exists()

    drop_stale_scratch(tmp_path, card())

    assert not list((tmp_path / ".scratch").iterdir())


@pytest.mark.parametrize(
    "key", ["data_sha256", "manifest_sha256", "withheld", "track_sha256", "split", "quick", "config", "features"]
)
def test_a_run_is_finished_only_if_all_facts_match(tmp_path: Path, key: str) -> None:
    """Each fact of the identity of a run is compared."""
    others = {"quick": True, "config": {"track": "t", "alpha": 2}, "features": {}, "split": "holdout.v1"}
    others["withheld"] = ["a"]
    other = others.get(key, "other")
    store_run(tmp_path, card(), TABLES)
    wanted = card(**{key: other}) if key != "split" else card()

    assert is_finished(tmp_path, card())
    assert is_finished(tmp_path, wanted) == (key == "split")


def test_differences_are_described() -> None:
    """A changed option is named with both values."""
    assert differences(card(), card(config={"track": "t", "alpha": 2})) == ["option alpha: 1 → 2"]
    assert differences(card(), card(data_sha256="x", quick=True)) == ["the data", "quick was False"]
    assert differences(card(), card(withheld=["a", "b"])) == ["withheld classes: none → a, b"]


def test_checkpoints_of_other_withheld_classes_are_not_continued(tmp_path: Path) -> None:
    """They have learnt from other objects."""
    first = scratch_folder(tmp_path, card())

    assert scratch_folder(tmp_path, card(withheld=["a"])) != first
    assert not first.exists()


MEASURED = {"table": "measured", "version": 1, "background": "light", "values_sha256": "a"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"table": "native+measured", "values_sha256": "b"}, "feature table: measured → native+measured"),
        ({"version": 2, "background": "dark"}, "feature version: 1 → 2"),
        ({"background": "dark", "values_sha256": "b"}, "measured with background: light → dark"),
        ({"values_sha256": "b"}, "the measured values"),
    ],
)
def test_another_feature_table_is_described(changes: dict[str, object], words: str) -> None:
    """The most general difference is named: kind of table, else version, else measurement settings, else values."""
    assert differences(card(features=MEASURED), card(features=MEASURED | changes)) == [words]


def test_runs_of_earlier_versions_learnt_from_the_native_table() -> None:
    """Their cards do not state the table, since there was no other; they are not rerun for it."""
    assert differences(card(), card(features={"table": "native"})) == []
    assert differences(card(), card(features=MEASURED)) == ["feature table: native → measured"]


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_only_done_runs_are_finished(tmp_path: Path, status: str) -> None:
    """A failed run is repeated; a skipped run is finished as long as its reason is the same."""
    store_run(tmp_path, card(status=status, reason="because"), {})

    assert not is_finished(tmp_path, card())
    assert is_finished(tmp_path, card(status="skipped", reason="because")) == (status == "skipped")


def test_an_older_finished_run_moves_aside(tmp_path: Path) -> None:
    """Replaced runs are kept under replaced/, even several of the same second; failed runs are removed."""
    for number in range(3):
        store_run(tmp_path, card(data_sha256=str(number)), TABLES)
    kept = sorted(path.name for path in (tmp_path / "replaced" / "d" / "t" / "holdout.v1").iterdir())
    store_run(tmp_path, card(track="other", status="failed"), {})
    set_aside(tmp_path, run_folder(tmp_path, card(track="other")))

    assert kept == ["seed-0-2020-01-01T000000+0000", "seed-0-2020-01-01T000000+0000-2"]
    assert not (tmp_path / "replaced" / "d" / "other").exists()
