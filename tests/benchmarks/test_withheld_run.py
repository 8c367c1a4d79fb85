"""Runs with selected and withheld classes, from the suite file to the report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
from planktonbench.benchmarks.cli.app import main
from planktonbench.benchmarks.verification.results_folder import verify
from planktonbench.reports.run_files.card import Card
from sklearn.metrics import f1_score

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("scores_only")

WITHHELD = "egg (other)"
NOVEL: dict[str, Any] = {"name": "novel", "manifest": "flowcam", "withhold": [WITHHELD]}
SUITE: dict[str, Any] = {
    "name": "novel",
    "datasets": ["flowcam", NOVEL, {"name": "large", "manifest": "flowcam", "min_objects": 12}],
    "tracks": ["majority", {"track": "forest-native", "trees": 30}],
    "seeds": [0],
    "quick": {
        "datasets": [NOVEL],
        "split": {"kind": "kfold", "folds": 3, "only_folds": [1]},
        "options": {"trees": 5},
    },
}
LEVELS = {"a": 40, "b": 80, "c": 120, "d": 160}


def suite_file(folder: Path, **changes: object) -> str:
    """Write a suite and return its path."""
    path = folder / "novel.yaml"
    path.write_text(json.dumps(SUITE | changes))
    return str(path)


def cards_of(out: Path, dataset: str, track: str) -> list[Card]:
    """Return the cards of the runs of a track."""
    paths = sorted((out / "runs" / dataset / track).rglob("card.json"))
    return [Card.from_text(path.read_bytes()) for path in paths]


def truth_of(out: Path, dataset: str) -> pd.DataFrame:
    """Return the truth of the first hold-out."""
    return pd.read_parquet(out / "truth" / dataset / "holdout.v1" / "seed-0.parquet")


def macro_f1(truth: pd.Series, predicted: pd.Series) -> float:
    """Return macro F1 by scikit-learn over the classes of the truth."""
    return float(f1_score(truth.to_numpy(), predicted.to_numpy(), labels=sorted(set(truth)), average="macro"))


@pytest.mark.report
def test_a_suite_with_withheld_classes_becomes_a_report(challenge: Path, tmp_path: Path) -> None:
    """A track does not learn the withheld class, is scored with and without it, and every number can be verified."""
    out = tmp_path / "out"
    scores = pb.run(suite_file(tmp_path), data_dir=challenge, out=out).set_index(["dataset", "track"])
    whole, novel = truth_of(out, "flowcam"), truth_of(out, "novel")
    predicted = pd.read_parquet(out / "runs/novel/forest-native/holdout.v1/seed-0/predictions.parquet")
    test = novel[novel["part"] == "test"].set_index("object_id")["taxon"].loc[predicted["object_id"]]
    known, row = (test != WITHHELD).to_numpy(), scores.loc[("novel", "forest-native")]
    (card,) = cards_of(out, "novel", "forest-native")

    assert set(novel.loc[novel["taxon"] == WITHHELD, "part"]) == {"test"}
    assert set(whole.loc[whole["part"] == "test", "object_id"]) == set(test.index)
    assert (card.data.withheld, card.data.manifest, WITHHELD in card.data.classes) == ([WITHHELD], "flowcam", True)
    assert (predicted[f"score:{WITHHELD}"] == 0).all()
    assert row["macro_f1"] == pytest.approx(macro_f1(test, predicted["taxon"]), abs=1e-12)
    assert row["macro_f1_seen"] == pytest.approx(macro_f1(test[known], predicted["taxon"][known]), abs=1e-12)
    assert row["macro_f1_seen"] > row["macro_f1"]
    assert scores["n_withheld"].groupby("dataset").count().to_dict() == {"flowcam": 0, "large": 0, "novel": 2}
    assert cards_of(out, "large", "majority")[0].data.classes == ["Copepoda", "detritus", WITHHELD]
    assert "Withheld from training and validation: egg (other)." in (out / "report" / "dataset-novel.html").read_text()
    assert verify(out).mismatches == []


def test_a_changed_selection_repeats_the_runs(
    challenge: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The old ones are kept among the replaced ones; the same selection repeats nothing."""
    for withheld in ([WITHHELD], ["Copepoda"], ["Copepoda"]):
        entry = {**NOVEL, "withhold": withheld}
        pb.run(suite_file(tmp_path, datasets=[entry], tracks=["majority"]), data_dir=challenge, out=tmp_path / "out")
    lines = capfd.readouterr().err

    assert lines.count("1 of 1 runs to do") == 2
    assert lines.count("used another split of these objects; moved to") == 1
    assert [card.data.withheld for card in cards_of(tmp_path / "out", "novel", "majority")] == [["Copepoda"]]
    assert len(list((tmp_path / "out" / "replaced").rglob("card.json"))) == 1


def test_quick_runs_other_data_sets_folds_and_options(challenge: Path, tmp_path: Path) -> None:
    """Choices on the command line apply as well."""
    out = tmp_path / "out"
    table = pb.run(suite_file(tmp_path), data_dir=challenge, out=out, quick=True, seeds=[4], tracks=["forest-native"])
    (card,) = cards_of(out, "novel", "forest-native")

    assert table[["dataset", "split", "seed"]].to_numpy().tolist() == [["novel", "kfold3.v1-fold1", 4]]
    assert (card.track.config["trees"], card.quick) == (5, True)


def test_folds_that_were_run_alone_are_not_repeated(
    challenge: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The others are added to them."""
    for split in ("kfold3-fold1", "kfold3"):
        pb.run(
            suite_file(tmp_path, datasets=[NOVEL], tracks=["majority"]),
            data_dir=challenge, out=tmp_path / "out", split=split,
        )  # fmt: skip

    assert "2 of 3 runs to do" in capfd.readouterr().err
    assert len(cards_of(tmp_path / "out", "novel", "majority")) == 3


def test_images_are_measured_once_for_all_selections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The features of the whole folder are reused, and each selection has a table of its own objects."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for taxon, level in LEVELS.items():
        (tmp_path / "lake" / taxon).mkdir(parents=True)
        for number in range(8):
            image = np.full((20, 20), 220, np.uint8)
            cv2.circle(image, (10, 10), int(rng.integers(3, 8)), level, -1)
            cv2.imwrite(str(tmp_path / "lake" / taxon / f"{taxon}{number}.png"), image)
    entries = [
        {"name": "lake", "path": "lake"},
        {"name": "two", "path": "lake", "classes": ["a", "d"]},
        {"name": "novel", "path": "lake", "withhold": ["c"]},
    ]
    choices: dict[str, Any] = {"features": "measured", "tracks": ["majority"]}
    pb.run(suite_file(tmp_path, datasets=entries[:1], **choices), out=tmp_path / "out")
    measured = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("measured/*.parquet")}
    table = pb.run(suite_file(tmp_path, datasets=entries, **choices), out=tmp_path / "out")
    tables = (tmp_path / "cache").rglob("prepared/*.parquet")
    rows = {path.name.split("-")[0]: len(pd.read_parquet(path)) for path in tables}
    data = {name: cards_of(tmp_path / "out", name, "majority")[0].data for name in rows}

    assert table["status"].tolist() == ["done"] * 3
    assert len(measured) == 1
    assert measured == {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("measured/*.parquet")}
    assert rows == {"lake": 32, "two": 16, "novel": 32}
    assert data["two"].sha256 != data["lake"].sha256 == data["novel"].sha256


def test_mistakes_are_explained_on_the_command_line(
    challenge: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is written, in one message and with exit code 2."""
    file = suite_file(tmp_path, datasets=[{**NOVEL, "withhold": ["egg"]}])
    out = tmp_path / "out"

    assert main(["run", file, "--data", str(challenge), "--out", str(out)]) == 2
    assert "withhold names what is not a class of it: egg. " in capsys.readouterr().err
    assert not out.exists()
