"""A predictions file becomes a run of the split whose test rows it holds, and nothing is guessed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
from planktonbench.benchmarks.cli.app import WRONG_INPUT, main
from planktonbench.benchmarks.planning.submitted_predictions import parse_predictions
from planktonbench.data_manifests.splits import SplitPlan, make_splits
from planktonbench.reports.run_files.card import read_card

if TYPE_CHECKING:
    from collections.abc import Callable


def rows_to_predict(challenge: Path, seed: int = 0) -> pd.DataFrame:
    """Return object_id and taxon of the test rows of a hold-out."""
    table = make_splits(pb.load("flowcam", challenge), SplitPlan(), seed)[0].table
    return table.loc[table["part"] == "test", ["object_id", "taxon"]].reset_index(drop=True)


def run(challenge: Path, out: Path, **files: Path) -> pd.DataFrame:
    """Run the majority baseline with files beside it."""
    named = {name.replace("_", "-"): path for name, path in files.items()}
    return pb.run("flowcam", tracks=["majority"], predictions=named, seeds=[0, 1], data_dir=challenge, out=out)


@pytest.fixture
def write(tmp_path: Path, challenge: Path) -> Callable[..., Path]:
    """Return a function that writes the true test rows of seed 0, changed, as a predictions file."""

    def written(change: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table, name: str = "mine.csv") -> Path:
        path = tmp_path / name
        change(rows_to_predict(challenge)).to_csv(path, index=False)
        return path

    return written


def test_it_is_stored_under_the_seed_whose_test_rows_it_holds(
    challenge: Path, tmp_path: Path, write: Callable[..., Path]
) -> None:
    """A perfect file scores 1 beside the baseline's two seeds, its rows may stand in any order."""
    path = write(lambda table: table.sample(frac=1, random_state=3))

    scores = run(challenge, tmp_path / "out", mine=path)

    mine = scores[scores["track"] == "mine"]
    assert mine[["split", "seed", "macro_f1", "status"]].to_numpy().tolist() == [["holdout.v1", 0, 1.0, "done"]]
    assert sorted(scores.loc[scores["track"] == "majority", "seed"]) == [0, 1]
    assert mine["fit_seconds"].isna().all()


def test_its_card_tells_what_it_is(challenge: Path, tmp_path: Path, write: Callable[..., Path]) -> None:
    """The card names the file and its hash, and claims neither versions nor features."""
    path = write()

    run(challenge, tmp_path / "out", mine=path)
    card = read_card(tmp_path / "out/runs/flowcam/mine/holdout.v1/seed-0")

    assert card is not None
    assert card.track.config == {"track": "predictions-file", "file": "mine.csv"}
    assert card.track.source.startswith("predictions file mine.csv, SHA-256 ")
    assert (card.versions, card.track.features, card.cost.device) == ({}, {}, "not known")
    assert card.data.classes == sorted(card.data.classes)


def test_the_same_file_is_stored_once_and_a_changed_one_moves_the_old(
    challenge: Path, tmp_path: Path, write: Callable[..., Path]
) -> None:
    """A finished run is never repeated; a changed file is another run, and the old is kept."""
    out = tmp_path / "out"
    run(challenge, out, mine=write())
    folder = out / "runs/flowcam/mine/holdout.v1/seed-0"
    before = (folder / "card.json").stat().st_mtime_ns

    run(challenge, out, mine=write())
    assert (folder / "card.json").stat().st_mtime_ns == before

    scores = run(challenge, out, mine=write(lambda table: table.assign(taxon="detritus")))
    assert scores.set_index("track").loc["mine", "macro_f1"] < 1
    assert len(list((out / "replaced/flowcam/mine/holdout.v1").iterdir())) == 1


@pytest.mark.parametrize("prefix", ["score:", ""])
def test_scores_are_kept(challenge: Path, tmp_path: Path, write: Callable[..., Path], prefix: str) -> None:
    """Columns `score:<class>`, or numeric ones named like classes, are stored as float32; others are left alone."""
    classes = list(pb.load("flowcam", challenge).classes)

    def with_scores(table: pd.DataFrame) -> pd.DataFrame:
        for name in classes:
            table[f"{prefix}{name}"] = np.where(table["taxon"] == name, 0.6, 0.4 / (len(classes) - 1))
        return table.assign(confidence=7.0)

    run(challenge, tmp_path / "out", mine=write(with_scores))
    stored = pd.read_parquet(tmp_path / "out/runs/flowcam/mine/holdout.v1/seed-0/predictions.parquet")

    assert list(stored.columns) == ["object_id", "taxon", *(f"score:{name}" for name in classes)]
    assert {str(dtype) for dtype in stored.dtypes[2:]} == {"float32"}
    assert np.allclose(stored.iloc[:, 2:].max(axis=1), 0.6)


FAULTS: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "a row is missing": (
        lambda table: table.iloc[1:],
        r"closest is flowcam, holdout.v1, seed 0: 1 of its \d+ test objects have no prediction: \d+\. Expected",
    ),
    "an id is unknown": (
        lambda table: pd.concat([table, pd.DataFrame({"object_id": ["nobody"], "taxon": ["detritus"]})]),
        "1 ids are not among them: nobody",
    ),
    "a taxon is unknown": (lambda table: table.assign(taxon="Copepod"), "Copepod not among .* Did you mean Copepoda"),
    "a score is of no class": (lambda table: table.assign(**{"score:egg": 0.5}), "scores for unknown classes: egg"),
    "a score is text": (lambda table: table.assign(**{"score:Copepoda": "high"}), "Copepoda are not numbers"),
    "a score is no share": (
        lambda table: table.assign(**{"score:Copepoda": [7.0] + [0.5] * (len(table) - 1)}),
        r"scores of 1 rows are not probabilities \(lines 2\)",
    ),
    "a score is missing": (
        lambda table: table.assign(Copepoda=[0.5, np.nan] + [0.5] * (len(table) - 2)),
        r"scores of 1 rows are not probabilities \(lines 3\)",
    ),
    "an id stands there twice": (lambda table: pd.concat([table, table.iloc[:1]]), "occur more than once"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_file_is_refused_before_anything_runs(
    challenge: Path, tmp_path: Path, write: Callable[..., Path], fault: str
) -> None:
    """The fault is named with rows or ids, and no run was made."""
    change, told = FAULTS[fault]

    with pytest.raises(pb.SubmissionError, match=told):
        run(challenge, tmp_path / "out", mine=write(change))
    assert not (tmp_path / "out/runs").exists()


def test_scores_of_all_classes_sum_to_one(challenge: Path, tmp_path: Path, write: Callable[..., Path]) -> None:
    """With a column for each class, rows that sum to something else are no probabilities."""
    classes = pb.load("flowcam", challenge).classes

    with pytest.raises(pb.SubmissionError, match="sum to one"):
        run(challenge, tmp_path / "out", mine=write(lambda table: table.assign(**dict.fromkeys(classes, 0.9))))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["mine"], "expected NAME=FILE"),
        (["=mine.csv"], "expected NAME=FILE"),
        (["mine=a.csv", "mine=b.csv"], "gives the name 'mine' twice"),
        (["xgb-native=a.csv"], "'xgb-native' is the name of a track"),
        (["My Method=a.csv"], "name is 'My Method'; expected lower-case words"),
        (["mine=nowhere.csv"], "nowhere.csv does not exist"),
    ],
)
def test_the_command_line(
    challenge: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], names: list[str], told: str
) -> None:
    """What cannot be meant is refused with exit code 2."""
    given = [word for name in names for word in ("--predictions", name)]

    code = main(["run", "flowcam", "--data", str(challenge), "--tracks", "majority", "--out", str(tmp_path), *given])

    assert code == WRONG_INPUT
    assert told in capsys.readouterr().err


def test_files_alone_are_a_run(challenge: Path, tmp_path: Path, write: Callable[..., Path]) -> None:
    """Without tracks only the file is stored and scored."""
    path, out = write(), tmp_path / "out"

    code = main(["run", "flowcam", "--data", str(challenge), "--tracks", "", "--predictions", f"mine={path}",
                 "--seeds", "0", "--out", str(out)])  # fmt: skip

    assert code == 0
    assert list(pd.read_csv(out / "scores.csv")["track"]) == ["mine"]


def test_a_name_may_hold_an_equals_sign_in_its_path() -> None:
    """The first equals sign ends the name."""
    assert parse_predictions(["mine=a=b.csv"]) == {"mine": Path("a=b.csv")}
