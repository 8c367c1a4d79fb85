"""Verification of a results folder: whatever is changed is named, and nothing else."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench import DataError
from planktonbench.benchmarks.cli.app import main
from planktonbench.benchmarks.execution.cards import card_facts
from planktonbench.benchmarks.execution.environment import environment_sha256, library_versions
from planktonbench.benchmarks.execution.settings import Settings
from planktonbench.benchmarks.execution.store import store_run, store_truth
from planktonbench.benchmarks.verification.results_folder import Verification, verify
from planktonbench.data_manifests.dataset import Dataset
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.data_manifests.splits import SplitPlan, make_splits
from planktonbench.reports.pages.write import write_results
from planktonbench.reports.run_files.card import Card

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CLASSES = ("bar", "disc", "ring")
RUN = "runs/lake/good/holdout.v1/seed-0"
TRUTH = "truth/lake/holdout.v1/seed-0.parquet"


def dataset_of(folder: Path) -> Dataset:
    """Return a data set of three taxa and six samples."""
    ids = [f"o{number:03d}" for number in range(120)]
    objects = pd.DataFrame({"object_id": ids, "taxon": np.repeat(CLASSES, 40), "lineage": None, "set": None})
    objects["sample"] = [f"s{number % 6}" for number in range(120)]
    return Dataset(manifest_of_folder("lake"), folder, objects.astype("str"), None, None, CLASSES, (), "a" * 64)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with a report on two tracks and two seeds."""
    out = tmp_path_factory.mktemp("verify") / "out"
    data = dataset_of(out)
    for seed in (0, 1):
        split = make_splits(data, SplitPlan(), seed)[0]
        store_truth(out, data.name, split)
        versions = library_versions()
        facts = card_facts(data, split, Settings()) | {"status": "done", "threads": 1, "fit_seconds": 1.0}
        facts |= {"versions": versions, "environment_sha256": environment_sha256(versions)}
        for track, wrong in (("good", 2), ("bad", 8)):
            card = Card.of(track=track, track_sha256=track, config={"track": "mine.py:Mine"}, **facts)
            tables = {f"{name}.parquet": predicted(split.table, part, wrong) for name, part in (
                ("predictions", "test"), ("valid", "valid"))}  # fmt: skip
            store_run(out, card, tables)
    write_results(out)
    return out


def predicted(table: pd.DataFrame, part: str, wrong: int) -> pd.DataFrame:
    """Return predictions of which the first ones are the next class of the list."""
    rows = table[table["part"] == part]
    codes = rows["taxon"].map(CLASSES.index).to_numpy(copy=True)
    codes[:wrong] = (codes[:wrong] + 1) % 3
    scores = pd.DataFrame(0.1 + 0.7 * np.eye(3, dtype=np.float32)[codes], columns=[f"score:{name}" for name in CLASSES])
    names = pd.DataFrame({"object_id": rows["object_id"].to_numpy(), "taxon": np.array(CLASSES)[codes]})
    return pd.concat([names, scores], axis=1)


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    """A copy of the results folder that may be changed."""
    return shutil.copytree(finished, tmp_path / "out")


def changed(found: Verification) -> set[tuple[str, str]]:
    """Return file and column of each mismatch, without the tables of the report."""
    return {(one.file, one.column) for one in found.mismatches if not one.file.startswith("report")}


def test_an_unchanged_folder_matches(out: Path) -> None:
    """All runs, hashes and tables were recomputed; tracks that are not installed are named."""
    found = verify(out)

    assert found.mismatches == []
    assert (found.checked["runs"], found.checked["tables of runs"], found.checked["truth tables"]) == (4, 8, 2)
    assert found.checked["tables of scores"] > 8
    assert list(found.information) == ["the track is not installed here, so its source code is not compared"]


@pytest.fixture
def kept(out: Path) -> Path:
    """Folder of the kept model of a run in the results folder."""
    card = Card.from_text((out / RUN / "card.json").read_bytes())
    tables = {name: pd.read_parquet(out / RUN / name) for name in card.hashes.tables}
    shutil.rmtree(out / RUN)
    (out / "new").mkdir()
    np.savez(out / "new" / "values.npz", values=np.arange(3))
    (out / "new" / "track.json").write_text("{}")
    return store_run(out, card, tables, out / "new") / "model"


def test_files_of_a_kept_model_are_verified(out: Path, kept: Path) -> None:
    """They match as they were stored; one that is changed, lost or added is named; the whole folder may be deleted."""
    before = verify(out)
    (kept / "track.json").write_text("{ }")
    (kept / "values.npz").rename(kept / "other.npz")
    found = {one.file: (one.stored, one.recomputed) for one in verify(out).mismatches}

    shutil.rmtree(kept)
    deleted = verify(out)

    assert (before.mismatches, before.checked["files of models"]) == ([], 2)
    assert (deleted.mismatches, deleted.checked["files of models"]) == ([], 0)
    assert "the kept model was deleted, so that its files were not verified" in deleted.information
    assert set(found) == {f"{RUN}/model/{name}" for name in ("track.json", "values.npz", "other.npz")}
    assert found[f"{RUN}/model/values.npz"][1] == found[f"{RUN}/model/other.npz"][0] == "absent"


def edit_table(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change a parquet file."""
    change(pd.read_parquet(path)).to_parquet(path, index=False)


def exchange(column: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return a function that exchanges two values of a column which differ."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        values = table[column].to_numpy(copy=True)
        test = np.flatnonzero(table["part"] == "test") if "part" in table else np.arange(len(table))
        other = next(row for row in test if values[row] != values[test[0]])
        values[[test[0], other]] = values[[other, test[0]]]
        return table.assign(**{column: values})

    return change


def test_exchanged_test_labels_are_found(out: Path) -> None:
    """The truth differs from the cards, and scores and signatures of both tracks from those in scores.csv."""
    edit_table(out / TRUTH, exchange("taxon"))
    found = changed(verify(out))

    assert {(TRUTH, "truth_sha256"), ("scores.csv", "macro_f1"), ("scores.csv", "signature")} <= found
    assert {file for file, _ in found} == {TRUTH, "scores.csv"}


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("predictions.parquet", "taxon", {(f"{RUN}/predictions.parquet", "tables_sha256")}),
        ("valid.parquet", "score:bar", {(f"{RUN}/valid.parquet", "tables_sha256")}),
    ],
)
def test_changed_predictions_are_found(out: Path, name: str, column: str, expected: set[tuple[str, str]]) -> None:
    """Two exchanged predictions or scores differ from the hash in the card, even if no score changes."""
    edit_table(out / RUN / name, exchange(column))

    assert (
        expected
        <= changed(verify(out))
        <= {*expected, ("scores.csv", "macro_f1")}
        | {("scores.csv", name) for name in pd.read_csv(out / "scores.csv").columns}
    )


def test_rewritten_tables_match(out: Path) -> None:
    """Other compression and order of rows are the same content."""
    for path in out.rglob("*.parquet"):
        pd.read_parquet(path)[::-1].to_parquet(path, index=False, compression="gzip")

    assert verify(out).mismatches == []


@pytest.mark.parametrize(
    ("name", "column", "value", "label"),
    [
        ("scores.csv", "macro_f1", 0.99, "lake · good · holdout.v1 · seed 0"),
        ("scores.csv", "signature", "macroF1|mine", "lake · good · holdout.v1 · seed 0"),
        ("report/tables/leaderboard.csv", "macro_f1", 0.99, "lake · good · holdout.v1"),
        ("report/tables/comparisons.csv", "p_value", 0.5, "lake · good · bad · holdout.v1"),
        ("report/tables/lake-good-per-class.csv", "f1", 0.99, "bar"),
    ],
)
def test_a_changed_number_is_named(out: Path, name: str, column: str, value: object, label: str) -> None:
    """With file, row and column, and both values."""
    table = pd.read_csv(out / name)
    row = 0 if "track" not in table else int(np.flatnonzero(table["track"] == "good")[0])
    before = table[column][row]
    table.astype({column: object}).assign(
        **{column: [value if position == row else cell for position, cell in enumerate(table[column])]}
    ).to_csv(out / name, index=False)

    (one,) = verify(out).mismatches

    assert (one.run, one.file, one.column, one.stored) == (label, name, column, str(value))
    assert one.recomputed == str(before) or float(one.recomputed) == pytest.approx(float(before))


def test_removed_rows_and_files_are_named(out: Path) -> None:
    """A row that scores.csv lacks, a table that a run lacks, and one that its card does not have."""
    scores = pd.read_csv(out / "scores.csv")
    scores[scores["track"] != "bad"].to_csv(out / "scores.csv", index=False)
    (out / RUN / "valid.parquet").rename(out / RUN / "other.parquet")
    mismatches = {(one.run, one.file, one.stored, one.recomputed) for one in verify(out).mismatches}
    label = "lake · good · holdout.v1 · seed 0"

    assert ("lake · bad · holdout.v1 · seed 1", "scores.csv", "row absent", "row present") in mismatches
    assert label in {run for run, file, _, found in mismatches if file.endswith("valid.parquet") and found == "absent"}
    assert label in {run for run, file, found, _ in mismatches if file.endswith("other.parquet") and found == "absent"}


def test_a_run_that_cannot_be_scored_is_a_mismatch(out: Path) -> None:
    """The others are still verified."""
    (out / RUN / "predictions.parquet").write_bytes(b"damaged")
    found = verify(out)

    assert {one.run for one in found.mismatches} == {"lake · good · holdout.v1 · seed 0"}
    assert found.checked["tables of scores"] == 0


def edit_card(folder: Path, **facts: object) -> None:
    """Change fields of a card."""
    path = folder / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | facts), "utf-8")


def test_changed_cards_are_found(out: Path) -> None:
    """Numbers of objects and versions."""
    edit_card(out / RUN, n_test=99, versions={"numpy": "0.1"})

    assert changed(verify(out)) == {
        (TRUTH, "n_test"), (f"{RUN}/card.json", "environment_sha256"), ("scores.csv", "n_test")}  # fmt: skip


def test_objects_for_training_of_a_withheld_class_are_found(out: Path) -> None:
    """A card that states more or other withheld classes than were absent from training is wrong."""
    edit_card(out / RUN, withheld=["bar", "krill"])
    found = {(one.column, one.stored, one.recomputed) for one in verify(out).mismatches if one.file == TRUTH}

    assert found == {("classes", "absent", "krill"), ("withheld", "bar", "34 objects in train and valid")}


def test_a_folder_with_withheld_classes_matches(tmp_path: Path) -> None:
    """With the further columns of scores.csv and the table of withheld classes, which are recomputed, too."""
    data = replace(dataset_of(tmp_path), withheld=("ring",))
    (split,) = make_splits(data, SplitPlan(), 0)
    store_truth(tmp_path, data.name, split)
    facts = card_facts(data, split, Settings()) | {"status": "done", "threads": 1, "versions": {}}
    card = Card.of(track="good", track_sha256="good", config={"track": "mine.py:Mine"}, **facts)
    store_run(tmp_path, card, {"predictions.parquet": predicted(split.table, "test", 3)})
    write_results(tmp_path)

    assert verify(tmp_path).mismatches == []
    for name, column in (("scores.csv", "macro_f1_seen"), ("report/tables/withheld.csv", "recall_withheld")):
        table = pd.read_csv(tmp_path / name)
        table.assign(**{column: 0.123}).to_csv(tmp_path / name, index=False)
        assert [(one.file, one.column, one.stored) for one in verify(tmp_path).mismatches] == [(name, column, "0.123")]
        table.to_csv(tmp_path / name, index=False)


def test_a_card_of_another_run_is_found(out: Path) -> None:
    """Neither its folder nor its predictions are those of the run."""
    other = RUN.replace("seed-0", "seed-1")
    shutil.copy(out / RUN / "card.json", out / other)
    found = changed(verify(out))

    assert {(other, ""), (f"{other}/predictions.parquet", "tables_sha256")} <= found


def test_other_code_and_versions_are_information(out: Path) -> None:
    """They are no mismatch; cards of earlier versions without hashes are named."""
    old = {"numpy": "0.1"}
    edit_card(
        out / RUN, versions=old, environment_sha256=environment_sha256(old), code_sha256="f" * 64, track_sha256="x"
    )
    edit_card(out / RUN, tables_sha256={}, config={"track": "majority"})
    found = verify(out)
    texts = [text for text, runs in found.information.items() if runs == ["lake · good · holdout.v1 · seed 0"]]

    assert changed(found) == set()
    assert texts == [
        f"made with other versions: numpy 0.1 → {library_versions()['numpy']}",
        "executed and stored by other code of planktonbench",
        "the source code of the track has changed since",
        "the card is of an earlier version and has no hashes of tables and truth",
    ]


def test_the_command(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0 if all matches, 1 if not, and 2 without results; JSON has all values."""
    assert main(["verify", str(out)]) == 0
    assert "Everything matches." in capsys.readouterr().out
    edit_card(out / RUN, n_test=99)
    assert main(["verify", str(out), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["matches"], found["checked"]["runs"]) == (False, 4)
    assert {"run", "file", "column", "stored", "recomputed"} == found["mismatches"][0].keys()
    assert main(["verify", str(tmp_path)]) == main(["verify", str(tmp_path / "none")]) == 2
    with pytest.raises(DataError, match="holds no runs"):
        verify(tmp_path)


def test_replaced_runs_are_counted_but_not_verified(out: Path) -> None:
    """Their contents do not matter, but their number is in the report, so that removed ones are noticed."""
    shutil.copytree(out / RUN, out / "replaced/lake/good/holdout.v1/seed-0-2020")
    edit_card(out / "replaced/lake/good/holdout.v1/seed-0-2020", n_test=99)
    (one,) = verify(out).mismatches

    assert (one.file, one.column, one.stored, one.recomputed) == ("report/tables/looks.csv", "replaced", "0", "1")
