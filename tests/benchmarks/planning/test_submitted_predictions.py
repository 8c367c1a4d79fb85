"""Predictions files as runs of the split whose test objects they contain."""

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

pytestmark = pytest.mark.usefixtures("scores_only")


def rows_to_predict(challenge: Path, seed: int = 0) -> pd.DataFrame:
    """Return object_id and taxon of the test objects of a hold-out split."""
    table = make_splits(pb.load("flowcam", challenge), SplitPlan(), seed)[0].table
    return table.loc[table["part"] == "test", ["object_id", "taxon"]].reset_index(drop=True)


def run(challenge: Path, out: Path, **files: Path) -> pd.DataFrame:
    """Run the majority baseline together with predictions files."""
    named = {name.replace("_", "-"): path for name, path in files.items()}
    return pb.run("flowcam", tracks=["majority"], predictions=named, seeds=[0, 1], data_dir=challenge, out=out)


@pytest.fixture
def write(tmp_path: Path, challenge: Path) -> Callable[..., Path]:
    """Return a function that writes the modified true labels of the test objects of seed 0 as a predictions file."""

    def written(change: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table, name: str = "mine.csv") -> Path:
        path = tmp_path / name
        change(rows_to_predict(challenge)).to_csv(path, index=False)
        return path

    return written


def test_a_file_is_stored_under_the_seed_of_its_test_objects(
    challenge: Path, tmp_path: Path, write: Callable[..., Path]
) -> None:
    """A perfect file scores 1 for one seed, the baseline has two seeds; the row order does not matter."""
    path = write(lambda table: table.sample(frac=1, random_state=3))

    scores = run(challenge, tmp_path / "out", mine=path)

    mine = scores[scores["track"] == "mine"]
    assert mine[["split", "seed", "macro_f1", "status"]].to_numpy().tolist() == [["holdout.v1", 0, 1.0, "done"]]
    assert sorted(scores.loc[scores["track"] == "majority", "seed"]) == [0, 1]
    assert mine["fit_seconds"].isna().all()


def test_its_card_names_the_file(challenge: Path, tmp_path: Path, write: Callable[..., Path]) -> None:
    """The card contains the file name and its hash, but no library versions and no features."""
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
    """A finished run is not repeated; a changed file replaces it, and the old run is kept."""
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
    """Columns `score:<class>` or named like classes are stored as float32; other columns are ignored."""
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
    "a score has an unknown class": (
        lambda table: table.assign(**{"score:egg": 0.5}),
        "scores for unknown classes: egg",
    ),
    "a score is text": (lambda table: table.assign(**{"score:Copepoda": "high"}), "Copepoda are not numbers"),
    "a score is no share": (
        lambda table: table.assign(**{"score:Copepoda": [7.0] + [0.5] * (len(table) - 1)}),
        r"scores of 1 rows are not probabilities \(lines 2\)",
    ),
    "a score is missing": (
        lambda table: table.assign(Copepoda=[0.5, np.nan] + [0.5] * (len(table) - 2)),
        r"scores of 1 rows are not probabilities \(lines 3\)",
    ),
    "an id occurs twice": (lambda table: pd.concat([table, table.iloc[:1]]), "occur more than once"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_invalid_file_is_rejected_before_anything_runs(
    challenge: Path, tmp_path: Path, write: Callable[..., Path], fault: str
) -> None:
    """The message lists rows or ids, and no run is made."""
    change, message = FAULTS[fault]

    with pytest.raises(pb.SubmissionError, match=message):
        run(challenge, tmp_path / "out", mine=write(change))
    assert not (tmp_path / "out/runs").exists()


def test_scores_of_all_classes_sum_to_one(challenge: Path, tmp_path: Path, write: Callable[..., Path]) -> None:
    """If each class has a column, rows must sum to one."""
    classes = pb.load("flowcam", challenge).classes

    with pytest.raises(pb.SubmissionError, match="sum to one"):
        run(challenge, tmp_path / "out", mine=write(lambda table: table.assign(**dict.fromkeys(classes, 0.9))))


@pytest.mark.parametrize(
    ("names", "message"),
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
    challenge: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], names: list[str], message: str
) -> None:
    """Invalid names and files are rejected with exit code 2."""
    options = [word for name in names for word in ("--predictions", name)]

    code = main(["run", "flowcam", "--data", str(challenge), "--tracks", "majority", "--out", str(tmp_path), *options])

    assert code == WRONG_INPUT
    assert message in capsys.readouterr().err


@pytest.mark.report
def test_files_without_tracks_are_a_run(challenge: Path, tmp_path: Path, write: Callable[..., Path]) -> None:
    """Without tracks, only the file is stored and scored."""
    path, out = write(), tmp_path / "out"

    code = main(["run", "flowcam", "--data", str(challenge), "--tracks", "", "--predictions", f"mine={path}",
                 "--seeds", "0", "--out", str(out)])  # fmt: skip

    assert code == 0
    assert list(pd.read_csv(out / "scores.csv")["track"]) == ["mine"]


def test_a_path_may_contain_an_equals_sign() -> None:
    """The first equals sign ends the name."""
    assert parse_predictions(["mine=a=b.csv"]) == {"mine": Path("a=b.csv")}
