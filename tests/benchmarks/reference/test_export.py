"""Tests of the export of reference results, of the shipped ones, and of their lookup."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
from planktonbench import DataError, SuiteError
from planktonbench.benchmarks.cli.app import main
from planktonbench.benchmarks.execution.cards import card_facts
from planktonbench.benchmarks.execution.settings import Settings
from planktonbench.benchmarks.execution.store import store_run, store_truth
from planktonbench.benchmarks.reference import export as export_module
from planktonbench.benchmarks.reference.export import FINE_FROM, LARGEST_MB, POWERS_BELOW, STEP, export_runs, rounded
from planktonbench.benchmarks.reference.locate import FOLDER, reference_names, resolved
from planktonbench.benchmarks.verification.results_folder import verify
from planktonbench.data_manifests.class_selection.selection import ClassSelection
from planktonbench.data_manifests.splits import SplitPlan, make_splits
from planktonbench.reports.results.stored_run import SEEN_COLUMNS, StoredRun, read_runs, scores_table
from planktonbench.reports.run_files.card import Card
from planktonbench.reports.tasks.classification import SUM_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Callable

COMMAND = "planktonbench run flowcam --data DIR"
BASELINES = ("forest-native", "majority", "random")


@pytest.fixture
def make_results(challenge: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that stores runs of two tracks with two seeds; its arguments change facts of their cards."""

    def make(select: ClassSelection | None = None, **facts: object) -> Path:
        data, out = pb.load("flowcam", challenge).select(select or ClassSelection()), tmp_path / "out"
        n_classes = len(data.classes)
        for seed in (0, 1):
            split = make_splits(data, SplitPlan(), seed)[0]
            store_truth(out, data.name, split)
            common = card_facts(data, split, Settings()) | {"status": "done", "config": {}, "threads": 1} | facts
            for track, shift in (("good", 0), ("bad", 1)):
                card = Card.of(track=track, track_sha256=track, versions={}, **common)
                test = split.table[split.table["part"] == "test"]
                codes = (
                    test["taxon"].map(data.classes.index).to_numpy() + shift * (np.arange(len(test)) % 2)
                ) % n_classes
                rng = np.random.default_rng(seed)
                shares = 0.6 * np.eye(n_classes)[codes] + 0.4 * rng.dirichlet(np.ones(n_classes), len(test))
                table = pd.DataFrame(shares.astype(np.float32), columns=[f"score:{name}" for name in data.classes])
                table.insert(0, "object_id", test["object_id"].to_numpy())
                table.insert(1, "taxon", np.array(data.classes)[codes])
                store_run(out, card, {"predictions.parquet": table, "valid.parquet": table})
        return out

    return make


def shipped_runs() -> list[StoredRun]:
    """Return the reference results of this package."""
    return read_runs(FOLDER)


@pytest.mark.parametrize("run", shipped_runs(), ids=lambda run: "/".join(run.folder.parts[-3:]))
def test_shipped_runs_are_references(run: StoredRun) -> None:
    """They used real data and the full budget, and their cards have the hashes of tables and truth."""
    assert (run.card.status, run.card.data.simulated, run.card.quick) == ("done", False, False)
    assert "predictions.parquet" in run.card.hashes.tables
    assert run.card.hashes.truth


@pytest.mark.long
def test_the_shipped_folder_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A copy needs nothing else: scores are the same, and the report says what it leaves out."""
    out = tmp_path / "reference"
    shutil.copytree(FOLDER, out, ignore=shutil.ignore_patterns(*BASELINES))

    assert main(["report", str(out)]) == 0

    found, expected = pd.read_csv(out / "scores.csv"), pd.read_csv(FOLDER / "scores.csv")
    expected = expected[~expected["track"].isin(BASELINES)].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-9)
    assert "Left out, ndsb holdout.v1: " in capsys.readouterr().err
    assert "<h3>Left out</h3>" in (out / "report" / "dataset-ndsb.html").read_text("utf-8")


@pytest.mark.long
def test_the_shipped_folder_is_verified() -> None:
    """Every score and hash is reproduced."""
    assert main(["verify", str(FOLDER)]) == 0


def test_shipped_scores_are_still_probabilities() -> None:
    """Rounded rows sum to one within the tolerance for tracks."""
    runs = shipped_runs()

    assert runs
    for run in runs:
        table = pd.read_parquet(run.folder / "predictions.parquet")
        if run.card.split.seed != 0:
            assert list(table.columns) == ["object_id", "taxon"]
            continue
        sums = table[[f"score:{name}" for name in run.card.data.classes]].sum(axis=1)

        assert np.abs(sums - 1).max() < SUM_TOLERANCE


def test_reference_results_are_small() -> None:
    """They add at most five megabytes to the wheel."""
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < LARGEST_MB * 1e6


def test_reference_names_are_resolved() -> None:
    """The name used in the documentation exists, other paths are unchanged, and a mistyped name gets near matches."""
    assert "ndsb/xgb-native" in reference_names()
    assert resolved(Path("reference:ndsb/xgb-native")) == FOLDER / "runs/ndsb/xgb-native"
    assert resolved(Path("results/ndsb")) == Path("results/ndsb")
    with pytest.raises(SuiteError, match=r"named 'ndsb/xgb'\. Did you mean ndsb/xgb-native"):
        resolved(Path("reference:ndsb/xgb"))


def test_a_file_is_compared_with_a_reference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A comparison with a predictions file of the test objects needs neither truth nor data."""
    run = next(run for run in shipped_runs() if run.card.track.name == "xgb-native")
    path = tmp_path / "mine.csv"
    run.test_labels.table[["object_id", "taxon"]].to_csv(path, index=False)

    code = main(["compare", str(path), "reference:ndsb/xgb-native", "--draws", "20"])

    assert code == 0
    assert "mine.csv" in capsys.readouterr().out


def test_export_preserves_scores_and_omits_large_content(make_results: Callable[..., Path], tmp_path: Path) -> None:
    """All seeds of the named tracks with the same scores; class scores only for test rows of seed 0."""
    out, to = make_results(), tmp_path / "reference"

    size = export_runs(out, ["bad"], COMMAND, to)

    folder = to / "runs/flowcam/bad/holdout.v1"
    assert sorted(path.name for path in folder.glob("*/*")) == 2 * ["card.json"] + 2 * ["predictions.parquet"] + 2 * [
        "valid.parquet"
    ]
    thin = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.parquet")
        if list(pd.read_parquet(path).columns) == ["object_id", "taxon"]
    }
    assert thin == {"seed-0/valid.parquet", "seed-1/predictions.parquet", "seed-1/valid.parquet"}
    before = [run for run in read_runs(out) if run.card.track.name == "bad"]
    after = read_runs(to)
    assert [run.row() for run in after] == [run.row() for run in before]
    assert [run.card.hashes.exported_from for run in after] == [run.card.hashes.tables for run in before]
    assert [run.card.changed(tables_sha256={}, exported_from={}) for run in after] == [
        run.card.changed(tables_sha256={}) for run in before
    ]
    assert COMMAND in (to / "README.md").read_text("utf-8")
    assert 0 < size < 1


def test_exported_runs_can_be_verified_and_exported_again(make_results: Callable[..., Path], tmp_path: Path) -> None:
    """The hashes in the cards are those of the copies; those of the first original are preserved."""
    first, second = tmp_path / "first", tmp_path / "second"
    export_runs(make_results(), ["good", "bad"], COMMAND, first)
    export_runs(first, ["good", "bad"], COMMAND, second)

    assert verify(second).mismatches == []
    for one, other in zip(read_runs(first), read_runs(second), strict=True):
        assert one.card.hashes.exported_from == other.card.hashes.exported_from


def test_runs_with_withheld_classes_can_be_exported(make_results: Callable[..., Path], tmp_path: Path) -> None:
    """With the same scores, also without these classes, and as verifiable as others."""
    out, to = make_results(select=ClassSelection(min_objects=12, withhold=("egg (other)",))), tmp_path / "reference"
    export_runs(out, ["good", "bad"], COMMAND, to)
    exported = read_runs(to)

    assert [run.row() for run in exported] == [run.row() for run in read_runs(out)]
    assert {*scores_table(exported).columns} > {*SEEN_COLUMNS}
    assert {tuple(run.card.data.withheld) for run in exported} == {("egg (other)",)}
    assert verify(to).mismatches == []


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"simulated": True}, "it is a run on simulated data, not on real plankton"),
        ({"quick": True}, "smaller budget of --quick"),
        ({"status": "failed"}, "its status is failed"),
    ],
)
def test_runs_that_are_not_reference_results_are_rejected(
    make_results: Callable[..., Path], tmp_path: Path, facts: dict[str, object], message: str
) -> None:
    """The export is rejected, and existing files are unchanged."""
    to = tmp_path / "reference"
    to.mkdir()
    (to / "before").touch()

    with pytest.raises(DataError, match=message):
        export_runs(make_results(**facts), ["good"], COMMAND, to)
    assert [path.name for path in to.iterdir()] == ["before"]


def test_a_missing_track_is_reported(make_results: Callable[..., Path], tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(DataError, match="contains 0 runs of 'unknown' with seed 0 and 0 in all"):
        export_runs(make_results(), ["unknown"], COMMAND, tmp_path / "reference")


def test_results_that_are_too_large_are_rejected(
    make_results: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No files remain."""
    monkeypatch.setattr(export_module, "LARGEST_MB", 0.001)

    with pytest.raises(DataError, match=r"expected at most 0\.001"):
        export_runs(make_results(), ["good"], COMMAND, tmp_path / "reference")
    assert not list(tmp_path.glob("*reference*"))


def test_the_command(
    make_results: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The script prints the size; on errors, it prints a message and returns exit code 2."""
    arguments = ["export", str(make_results()), "--command", COMMAND, "--to", str(tmp_path / "reference"), "--tracks"]

    monkeypatch.setattr("sys.argv", [*arguments, "good,bad"])
    assert export_module.main() == 0
    monkeypatch.setattr("sys.argv", [*arguments, "unknown"])
    assert export_module.main() == 2

    out, err = capsys.readouterr()
    assert "MB" in out
    assert "'unknown'" in err


def test_rounding_preserves_probabilities() -> None:
    """Rows sum to one, no score becomes zero, and each changes by at most half a step or by a known fraction."""
    values = np.random.default_rng(0).dirichlet(np.full(50, 0.1), 400).astype(np.float32)
    values[0] = np.eye(50, dtype=np.float32)[7]
    found = rounded(values)
    others = np.arange(50) != values.argmax(axis=1)[:, None]
    bound = np.where(values >= FINE_FROM, STEP / 2, values * np.where(values >= POWERS_BELOW, 2.0**-4, 0.42))

    assert found.dtype == np.float32
    assert (np.abs(found - values)[others] <= bound[others] * (1 + 1e-6)).all()
    assert ((found > 0) == (values > 0)).all()
    assert np.abs(found.sum(axis=1) - 1).max() <= STEP
    assert len(np.unique(found)) < values.size / 4
