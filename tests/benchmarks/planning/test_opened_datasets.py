"""Data sets of a suite: files that entries share are found and read once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from planktonbench.benchmarks.execution.cards import card_facts
from planktonbench.benchmarks.execution.settings import Settings
from planktonbench.benchmarks.execution.store import store_run, store_truth
from planktonbench.benchmarks.planning import opened_datasets
from planktonbench.benchmarks.planning.opened_datasets import open_datasets
from planktonbench.benchmarks.suites.suite import DatasetEntry
from planktonbench.data_manifests.errors import ManifestError, SuiteError
from planktonbench.data_manifests.manifest import load_manifest
from planktonbench.data_manifests.splits import SplitPlan, make_splits
from planktonbench.reports.results.stored_run import read_runs
from planktonbench.reports.run_files.card import Card

if TYPE_CHECKING:
    from pathlib import Path

    from planktonbench.data_manifests.dataset import Dataset

EVERY: tuple[dict[str, Any], ...] = (
    {"name": "flowcam"},
    {"name": "large", "manifest": "flowcam", "min_objects": 12},
    {"name": "novel", "manifest": "flowcam", "withhold": ["detritus"]},
)


def opened(folder: Path | None, *entries: dict[str, Any], **settings: Any) -> list[Dataset]:  # noqa: ANN401 - settings
    """Open the data sets of entries."""
    return open_datasets([DatasetEntry(**entry) for entry in entries], Settings(data_dir=folder, **settings))


def test_entries_of_one_manifest_are_read_once(challenge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder serves them all, whether it is given itself or contains one named after the manifest."""
    reads: list[Path] = []
    original = opened_datasets.open_folder

    def counted(manifest: Any, folder: Path) -> Dataset:  # noqa: ANN401 - passed on
        reads.append(folder)
        return original(manifest, folder)

    monkeypatch.setattr(opened_datasets, "open_folder", counted)
    challenge.rename(challenge.with_name("flowcam"))
    for folder in (challenge.with_name("flowcam"), challenge.parent):
        whole, large, novel = opened(folder, *EVERY)

        assert [one.name for one in (whole, large, novel)][1:] == ["large", "novel"]
        assert [len(one.classes) for one in (whole, large, novel)] == [5, 3, 5]
        assert large.images is novel.images is whole.images
        assert novel.withheld == ("detritus",)
    assert reads == 2 * [challenge.with_name("flowcam")]


def test_several_manifests_need_a_folder_for_each(challenge: Path, tmp_path: Path) -> None:
    """Entries with a path do not count."""
    challenge.rename(tmp_path / "flowcam")
    lake = {"name": "lake", "path": tmp_path / "flowcam"}

    assert len(opened(tmp_path / "flowcam", *EVERY, lake)) == 4
    with pytest.raises(Exception, match=r"flowcam/flowcam is not a folder"):
        opened(tmp_path / "flowcam", *EVERY, {"name": "ndsb"})


def test_a_path_may_have_a_manifest(challenge: Path) -> None:
    """Its data are read by the manifest, and named as the entry says; --name takes precedence."""
    entry = {"name": "mine", "manifest": "ndsb", "path": challenge, "withhold": ["Retaria"]}
    (found,) = opened(None, entry)
    (named,) = opened(None, entry, name="other")

    assert (found.name, found.split_name) == ("mine", "ndsb")
    assert found.manifest.background == load_manifest("ndsb").background
    assert (named.name, named.withheld) == ("other", ("Retaria",))


def test_messages_name_the_entry(challenge: Path) -> None:
    """An unknown class gets near matches among the classes of its files, an unknown manifest among manifests."""
    with pytest.raises(SuiteError, match=r"^Data set 'novel' \(.*\): withhold .*: detrius\. Did you mean detritus"):
        opened(challenge, *EVERY[:2], {**EVERY[2], "withhold": ["detrius"]})
    with pytest.raises(ManifestError, match=r"no data set named 'flowcm'\. Did you mean flowcam"):
        opened(challenge, {"name": "x", "manifest": "flowcm"})


def test_what_is_used_is_logged(challenge: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Numbers of objects and classes, and the withheld ones."""
    opened(challenge, *EVERY)
    lines = capfd.readouterr().err

    assert "large: 102 objects of 3 of the 5 taxa are used" in lines
    assert "novel: withheld from training and validation: detritus" in lines


def test_each_choice_of_classes_changes_the_signature(challenge: Path, tmp_path: Path) -> None:
    """Whichever classes are selected or withheld, although name, split and test objects may be the same."""
    choices: list[dict[str, Any]] = [
        {},
        {"withhold": ["egg (other)"]},
        {"withhold": ["Copepoda"]},
        {"withhold": ["Copepoda", "egg (other)"]},
        {"min_objects": 12},
        {"min_objects": 13},
        {"classes": ["Copepoda", "egg (other)"]},
        {"classes": ["Copepoda", "detritus", "egg (other)"], "withhold": ["Copepoda"]},
        {"min_objects": 12, "withhold": ["egg (other)"]},
    ]
    signatures = [
        signature_of(opened(challenge, {"name": "flowcam", **choice})[0], tmp_path / str(number))
        for number, choice in enumerate(choices)
    ]
    by_size = signature_of(opened(challenge, {"name": "flowcam", "min_objects": 30})[0], tmp_path / "size")
    by_name = signature_of(
        opened(challenge, {"name": "flowcam", "classes": ["Copepoda", "detritus"]})[0], tmp_path / "name"
    )

    assert len(set(signatures)) == len(signatures)
    assert by_name == by_size


def signature_of(dataset: Dataset, out: Path) -> str:
    """Return the signature of a run that predicts everything as the first class."""
    (split,) = make_splits(dataset, SplitPlan(), 0)
    store_truth(out, dataset.name, split)
    facts = {"track": "first", "config": {}, "track_sha256": "s", "versions": {}, "threads": 1, "status": "done"}
    card = Card.of(**card_facts(dataset, split, Settings()), **facts)
    table = pd.DataFrame({"object_id": split.ids("test"), "taxon": dataset.classes[0]})
    store_run(out, card, {"predictions.parquet": table})
    (run,) = read_runs(out)
    assert run.score is not None
    return run.score.signature
