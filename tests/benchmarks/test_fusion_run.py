"""Runs with base runs, with network images, with progress lines, and resumed from checkpoints."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
from planktonbench.benchmarks.console import progress
from planktonbench.data_manifests.errors import SuiteError
from planktonbench.reports.run_files.card import Card

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("scores_only")

TRACKS = """
import os
import numpy as np
from planktonbench import Track
from planktonbench.features.network_images.form import ImageForm
from planktonbench.models.table_tracks.baselines import Majority

class Pool(Majority):
    name = "pool"
    def __init__(self, of=("majority", "random")):
        self.of = of
    @property
    def base_models(self):
        return tuple(self.of)
    def predict(self, objects):
        scores = [np.exp(self.context.base_run(name).log_probabilities(objects)) for name in self.of]
        mean = np.mean(scores, axis=0)
        return mean / mean.sum(axis=1, keepdims=True)

class Circle(Pool):
    name = "circle"
    def __init__(self, of=("circle",)):
        super().__init__(of)

class Fails(Majority):
    name = "fails"
    def fit(self, train, valid, *, rng):
        raise RuntimeError("boom")

class Hopeless(Pool):
    name = "hopeless"
    def __init__(self, of=("majority", "tracks.py:Fails")):
        super().__init__(of)

class Dies(Majority):
    name = "dies"
    def fit(self, train, valid, *, rng):
        super().fit(train, valid, rng=rng)
        mark = self.context.scratch / "half-way"
        if not mark.exists():
            mark.write_text("here")
            os.kill(os.getpid(), 9)
        self.chosen = {"resumed": mark.read_text()}
        self.context.log("resumed")

class Unmade(Majority):
    name = "unmade"
    def __init__(self, size=1):
        raise ValueError("size is wrong")

class Sees(Majority):
    name = "sees"
    inputs = {"images"}
    def __init__(self, side=32):
        self.side = side
    @property
    def image_form(self):
        return ImageForm(self.side)
    def fit(self, train, valid, *, rng):
        super().fit(train, valid, rng=rng)
        self.chosen = {"shape": train.network_images.batch(train.network_images.rows(train.object_ids)).shape}
    def embeddings(self, objects):
        return objects.network_images.sizes[objects.network_images.rows(objects.object_ids)]
"""


@pytest.fixture
def tracks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file with tracks in the working directory."""
    (tmp_path / "tracks.py").write_text(TRACKS)
    monkeypatch.chdir(tmp_path)
    return "tracks.py"


def run(folder: Path, out: Path, *names: str, **options: object) -> pd.DataFrame:
    """Run tracks on a data folder with seed 0."""
    table = pb.run("flowcam", tracks=list(names), seeds=[0], data_dir=folder, out=out, **options)  # type: ignore[arg-type]
    return table.set_index("track")


def folder_of(out: Path, track: str) -> Path:
    """Return the folder of a run."""
    return out / "runs" / "flowcam" / track / "holdout.v1" / "seed-0"


def card_of(out: Path, track: str) -> Card:
    """Return the card of a run."""
    return Card.from_text((folder_of(out, track) / "card.json").read_bytes())


@pytest.mark.report
def test_base_runs_come_first_and_are_not_repeated(
    challenge: Path, tmp_path: Path, tracks: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The base models of a fusion become ordinary runs; it averages their scores and is compared with the best."""
    out = tmp_path / "out"
    table = run(challenge, out, f"{tracks}:Pool")
    made = {name: card_of(out, name).created for name in ("majority", "random", "pool")}
    scores = {
        name: pd.read_parquet(folder_of(out, name) / "predictions.parquet").set_index("object_id").filter(like="score:")
        for name in made
    }

    assert set(table.index) == {"majority", "random", "pool"}
    assert set(card_of(out, "pool").track.base_runs) == {"majority", "random"}
    expected = (scores["majority"] + scores["random"]) / 2
    pd.testing.assert_frame_equal(scores["pool"], expected.loc[scores["pool"].index], atol=1e-5)
    compared = pd.read_csv(out / "report" / "tables" / "fusion.csv")
    assert compared["track"].tolist() == ["pool"]
    capsys.readouterr()
    run(challenge, out, f"{tracks}:Pool", "majority")
    assert "0 of 3 runs to do" in capsys.readouterr().err
    assert {name: card_of(out, name).created for name in made} == made


def test_a_fusion_is_rerun_if_a_base_model_changes(
    challenge: Path, tmp_path: Path, tracks: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A base model with other options is a different one, and the log states why the fusion is rerun."""
    out, suite = tmp_path / "out", tmp_path / "mine.yaml"
    text = "name: mine\ndatasets: [flowcam]\nseeds: [0]\ntracks:\n  - {track: xgb-source001, trees: %d}\n"
    text += f"  - {{track: '{tracks}:Pool', of: [majority, xgb-source001]}}\n"
    for trees in (2, 3):
        suite.write_text(text % trees)
        capsys.readouterr()
        pb.run(str(suite), data_dir=challenge, out=out)

    err = capsys.readouterr().err
    assert "2 of 3 runs to do" in err
    assert "base run xgb-source001:" in err


def test_a_fusion_with_a_failed_base_model_is_skipped(challenge: Path, tmp_path: Path, tracks: str) -> None:
    """Its reason names the failed base model, which has its own reason."""
    table = run(challenge, tmp_path / "out", f"{tracks}:Hopeless")

    assert table["status"].to_dict() == {"majority": "done", "fails": "failed", "hopeless": "skipped"}
    assert "built on fails" in table["reason"]["hopeless"]


def test_a_failing_constructor_does_not_stop_other_tracks(challenge: Path, tmp_path: Path, tracks: str) -> None:
    """The run is stored as failed with its reason."""
    table = run(challenge, tmp_path / "out", f"{tracks}:Unmade", "majority")

    assert table["status"].to_dict() == {"unmade": "failed", "majority": "done"}
    assert "size is wrong" in table["reason"]["unmade"]


def test_a_track_that_is_built_on_itself_is_rejected(challenge: Path, tmp_path: Path, tracks: str) -> None:
    """The error is raised before anything runs."""
    with pytest.raises(SuiteError, match="built on itself"):
        run(challenge, tmp_path / "out", f"{tracks}:Circle")


def test_checkpoints_of_a_killed_run_are_available_to_the_next(
    challenge: Path, tmp_path: Path, tracks: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Checkpoints survive a kill and are removed once the run is stored; logged lines of the track are shown."""
    monkeypatch.setattr(progress, "PLAIN_LINE_EVERY", -1)
    out = tmp_path / "out"

    first = run(challenge, out, f"{tracks}:Dies")["status"]["dies"]
    second = run(challenge, out, f"{tracks}:Dies")["status"]["dies"]

    assert (first, second) == ("failed", "done")
    assert card_of(out, "dies").track.chosen == {"resumed": "here"}
    assert not list((out / ".scratch").iterdir())
    assert "dies · holdout.v1 · seed 0: resumed" in capsys.readouterr().err


def spoil(folder: Path, count: int) -> list[str]:
    """Replace the first `count` images by text and return their object ids."""
    source = folder / "imgs.zip"
    with zipfile.ZipFile(source) as archive:
        images = {name: archive.read(name) for name in archive.namelist()}
    spoiled = list(images)[:count]
    with zipfile.ZipFile(source, "w") as archive:
        for name, content in images.items():
            archive.writestr(name, b"no image" if name in spoiled else content)
    return [name.removeprefix("imgs/").removesuffix(".png") for name in spoiled]


def test_objects_without_a_readable_image_are_excluded_for_all_tracks(
    challenge: Path, tmp_path: Path, tracks: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """All tracks see the same objects; excluded ones are listed in the cards and in the log."""
    spoiled, out = spoil(challenge, 3), tmp_path / "out"

    run(challenge, out, f"{tracks}:Sees", "majority")

    truth = pd.read_parquet(out / "truth" / "flowcam" / "holdout.v1" / "seed-0.parquet")
    embedded = pd.read_parquet(folder_of(out, "sees") / "embeddings.parquet")
    assert not set(spoiled) & set(truth["object_id"])
    assert set(embedded["object_id"]) == set(truth["object_id"])
    assert set(np.unique(embedded[["e0", "e1"]])) == {4.0, 5.0}
    shape = (card_of(out, "sees").track.chosen or {})["shape"]
    assert shape == [card_of(out, "sees").split.n_train, 32, 32, 3]
    for name in ("sees", "majority"):
        (note,) = [note for note in card_of(out, name).notes if note.code == "no-image"]
        assert note.count == 3
        assert all(any(one in example for example in note.examples) for one in spoiled)
    assert "3 objects have no readable image" in capsys.readouterr().err


def test_objects_without_images_are_kept_without_image_tracks(challenge: Path, tmp_path: Path) -> None:
    """Tracks of native features use all objects."""
    spoiled = spoil(challenge, 3)

    run(challenge, tmp_path / "out", "majority")

    truth = pd.read_parquet(tmp_path / "out" / "truth" / "flowcam" / "holdout.v1" / "seed-0.parquet")
    assert set(spoiled) <= set(truth["object_id"])


def test_an_image_track_without_images_is_skipped(
    make_challenge: Callable[..., Path], tmp_path: Path, tracks: str
) -> None:
    """The reason names the missing input."""
    table = run(make_challenge(images=False), tmp_path / "out", f"{tracks}:Sees", "majority")

    assert table["status"].to_dict() == {"sees": "skipped", "majority": "done"}
    assert table["reason"]["sees"] == "the data set has no images"
