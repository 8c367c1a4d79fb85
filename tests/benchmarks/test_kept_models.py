"""Runs that keep their models, runs that continue from these, and models that are opened again."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import planktonbench as pb
import planktonbench.benchmarks.run as run_module
import pytest
from planktonbench import DataError, SuiteError, TrackError
from planktonbench.benchmarks.cli.app import main
from planktonbench.benchmarks.verification.results_folder import verify
from planktonbench.data_manifests.dataset import load
from planktonbench.data_manifests.seeds import sha256_file
from planktonbench.reports.run_files.card import Card

if TYPE_CHECKING:
    from pathlib import Path

    from planktonbench.benchmarks.execution.settings import Settings

pytestmark = pytest.mark.usefixtures("scores_only")

TRACKS = """
import json, os, pickle
import numpy as np
from planktonbench import Track

class Centres(Track):
    name = "centres"
    inputs = {"native"}
    can_be_kept = True
    def __init__(self, power=2):
        self.power = power
    def fit(self, train, valid, *, rng):
        table = np.nan_to_num(train.native.to_numpy())
        members = [np.flatnonzero(train.y == code) for code in range(len(train.classes))]
        self.centres = np.stack([table[rows].mean(axis=0) if len(rows) else 0 * table[0] for rows in members])
        self.device = self.centres.sum().hex()
    def predict(self, objects):
        offsets = abs(np.nan_to_num(objects.native.to_numpy())[:, None] - self.centres)
        scores = 1 / (1 + (offsets**self.power).sum(axis=2))
        return scores / scores.sum(axis=1, keepdims=True)
    def save(self, folder):
        (folder / "arrays").mkdir()
        np.savez(folder / "arrays" / "centres.npz", centres=self.centres)
    def load(self, folder):
        self.centres = np.load(folder / "arrays" / "centres.npz")["centres"]

class Further(Centres):
    '''Moves the centres of another run halfway to those of validation rows.'''
    name = "further"
    continues = "centres"
    def fit(self, train, valid, *, rng):
        base = self.context.base_run(self.continues)
        start = base.restored().centres
        super().fit(valid, valid, rng=rng)
        self.centres = (start + self.centres) / 2
        self.chosen = {
            "start": start.tolist(),
            "folder": str(base.model_folder),
            "files": sorted(path.name for path in base.model_folder.rglob("*") if path.is_file()),
        }
        (base.model_folder / "arrays" / "centres.npz").unlink()

class ByFile(Further):
    name = "by-file"
    continues = "tracks.py:Centres"

class Lost(Further):
    name = "lost"
    continues = "majority"

class Pickles(Centres):
    name = "pickles"
    def save(self, folder):
        (folder / "model.pkl").write_bytes(pickle.dumps(self.centres))

class CannotSave(Centres):
    name = "cannot-save"
    def save(self, folder):
        raise RuntimeError("boom")

class Follows(Further):
    name = "follows"
    continues = "tracks.py:CannotSave"

class Dies(Centres):
    name = "dies"
    def save(self, folder):
        mark = self.context.scratch / "saved-once"
        if not mark.exists():
            mark.touch()
            (folder / "half.npz").write_bytes(b"half of a model")
            os.kill(os.getpid(), 9)
        super().save(folder)
"""


@pytest.fixture
def tracks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file with tracks in the working directory."""
    (tmp_path / "tracks.py").write_text(TRACKS)
    monkeypatch.chdir(tmp_path)
    return "tracks.py"


def run(data: Path, out: Path, *names: str, **options: object) -> pd.DataFrame:
    """Run tracks on a data folder with seed 0."""
    table = pb.run("flowcam", tracks=list(names), seeds=[0], data_dir=data, out=out, **options)  # type: ignore[arg-type]
    return table.set_index("track")


def folder_of(out: Path, track: str, dataset: str = "flowcam") -> Path:
    """Return the folder of a run."""
    return out / "runs" / dataset / track / "holdout.v1" / "seed-0"


def card_of(out: Path, track: str) -> Card:
    """Return the card of a run."""
    return Card.from_text((folder_of(out, track) / "card.json").read_bytes())


def files_of(folder: Path) -> list[str]:
    """Return the paths of the files of a kept model."""
    return sorted(path.relative_to(folder / "model").as_posix() for path in (folder / "model").rglob("*.*"))


def test_the_command_has_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is off by default."""
    seen: list[bool] = []

    def stop(_suite: object, settings: Settings) -> None:
        seen.append(settings.keep_models)
        message = "enough"
        raise SuiteError(message)

    monkeypatch.setattr(run_module, "run_suite", stop)
    codes = [main(["run", "flowcam", *words]) for words in ([], ["--keep-models"])]

    assert (codes, seen) == ([2, 2], [False, True])


CENTRES = ["arrays/centres.npz", "track.json"]


def test_a_kept_model_predicts_what_its_run_has_stored(
    shared_challenge: Path, tmp_path: Path, tracks: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is opened by the folder of the run alone; tracks that cannot be kept are counted and named."""
    out = tmp_path / "out"
    run(shared_challenge, out, f"{tracks}:Centres", "majority", "random", keep_models=True)
    log = capsys.readouterr().err
    folder = folder_of(out, "centres")
    card = card_of(out, "centres")
    (out / ".scratch").rename(tmp_path / "away")  # nothing of it is needed
    model = pb.load_model(folder)
    data = load("flowcam", shared_challenge)
    stored = pd.read_parquet(folder / "predictions.parquet").set_index("object_id").sort_index()
    objects = model.objects(native=data.native.loc[stored.index[::-1]].assign(more=0.0))

    assert "--keep-models: 2 of 3 tracks cannot be kept, so that their runs have no model: majority, random" in log
    assert files_of(folder) == CENTRES
    assert card.hashes.model == {name: sha256_file(folder / "model" / name) for name in CENTRES}
    assert not (folder_of(out, "majority") / "model").exists()
    assert not list((tmp_path / "away").rglob("*.*"))
    assert (type(model.track).__name__, model.track.power, model.classes) == ("Centres", 2, tuple(card.data.classes))  # type: ignore[attr-defined]
    assert objects.object_ids.tolist() == list(stored.index)
    np.testing.assert_allclose(model.track.predict(objects), stored.filter(like="score:"), rtol=1e-6)


def test_a_finished_run_is_repeated_only_for_a_wanted_model(
    shared_challenge: Path, tmp_path: Path, tracks: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line says so; a run with a model is not repeated, also if models are not asked for."""
    out, name = tmp_path / "out", f"{tracks}:Centres"
    logs = []
    for keep in (False, True, True, False):
        run(shared_challenge, out, name, keep_models=keep)
        logs.append(capsys.readouterr().err)
    (folder_of(out, "centres") / "model" / "arrays" / "centres.npz").unlink()
    for keep in (False, True):
        run(shared_challenge, out, name, keep_models=keep)
        logs.append(capsys.readouterr().err)

    assert ["1 of 1 runs to do" in log for log in logs] == [True, True, False, False, False, True]
    line = "flowcam · centres · holdout.v1 · seed 0: rerun because it has no kept model, which --keep-models asks for"
    assert [line in log for log in logs] == [False, True, False, False, False, True]
    assert files_of(folder_of(out, "centres")) == CENTRES
    assert len(list((out / "replaced").rglob("card.json"))) == 2


def test_a_run_continues_from_the_model_of_another(shared_challenge: Path, tmp_path: Path, tracks: str) -> None:
    """The other run comes first and keeps its model; the process is given a copy, and nothing of it remains."""
    out = tmp_path / "out"
    run(shared_challenge, out, f"{tracks}:Further", f"{tracks}:Centres")
    card = card_of(out, "further")
    chosen = card.track.chosen
    assert chosen is not None

    assert card.status == "done", card.reason
    assert (card.track.continues, list(card.track.base_runs)) == ("centres", ["centres"])
    assert card_of(out, "centres").track.continues == ""
    assert np.sum(chosen["start"]).hex() == card_of(out, "centres").cost.device
    assert chosen["folder"].startswith(str(out / ".scratch"))
    assert chosen["files"] == ["centres.npz", "track.json"]
    assert files_of(folder_of(out, "centres")) == CENTRES
    assert not (folder_of(out, "further") / "model").exists()
    assert not list((out / ".scratch").iterdir())


def test_a_model_is_repeated_for_the_run_that_continues_it(
    shared_challenge: Path, tmp_path: Path, tracks: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that was stored without its model is repeated once another one needs it, and not for a finished one."""
    out, names = tmp_path / "out", [f"{tracks}:Further", f"{tracks}:Centres"]
    logs = []
    for chosen in (names[1:], names, names):
        run(shared_challenge, out, *chosen)
        logs.append(capsys.readouterr().err)
        shutil.rmtree(folder_of(out, "centres") / "model", ignore_errors=True)

    numbers = ["1 of 1", "2 of 2", "0 of 2"]
    assert [f"{number} runs to do" in log for number, log in zip(numbers, logs, strict=True)] == [True] * 3
    line = "· centres · holdout.v1 · seed 0: rerun because it has no kept model, which another run continues"
    assert [line in log for log in logs] == [False, True, False]
    assert {card_of(out, name).status for name in ("centres", "further")} == {"done"}


def test_the_continued_track_may_be_named_by_its_file(shared_challenge: Path, tmp_path: Path, tracks: str) -> None:
    """It is run under its own name."""
    run(shared_challenge, tmp_path / "out", f"{tracks}:ByFile")

    assert card_of(tmp_path / "out", "by-file").status == "done"
    assert card_of(tmp_path / "out", "by-file").track.continues == "centres"


def test_a_track_that_cannot_be_kept_cannot_be_continued(shared_challenge: Path, tmp_path: Path, tracks: str) -> None:
    """Nothing runs."""
    with pytest.raises(
        TrackError, match="'lost' continues 'majority', which cannot be kept; expected a track with save"
    ):
        run(shared_challenge, tmp_path / "out", f"{tracks}:Lost")
    assert not (tmp_path / "out").exists()


def test_a_model_that_may_not_be_kept_is_a_failed_run(shared_challenge: Path, tmp_path: Path, tracks: str) -> None:
    """The reason names the file, or the error of save; a run that continues it is skipped, and others are stored."""
    out = tmp_path / "out"
    names = [f"{tracks}:{name}" for name in ("Pickles", "Follows", "Centres")]
    table = run(shared_challenge, out, *names, keep_models=True)

    statuses = {"pickles": "failed", "cannot-save": "failed", "follows": "skipped", "centres": "done"}
    assert table["status"].to_dict() == statuses
    assert "save of track 'pickles' wrote model.pkl, which has the suffix '.pkl'" in table.loc["pickles", "reason"]
    assert table.loc["cannot-save", "reason"].startswith("RuntimeError: boom (tracks.py:")
    assert table.loc["follows", "reason"] == "it is built on cannot-save, which did not finish"
    assert sorted(path.name for path in folder_of(out, "pickles").iterdir()) == ["card.json"]


def test_nothing_of_a_killed_attempt_is_in_a_model(shared_challenge: Path, tmp_path: Path, tracks: str) -> None:
    """A process that is killed while it writes its model leaves files in the scratch folder."""
    out = tmp_path / "out"
    first = run(shared_challenge, out, f"{tracks}:Dies", keep_models=True)
    left = [path.name for path in (out / ".scratch").rglob("*.npz")]
    second = run(shared_challenge, out, f"{tracks}:Dies", keep_models=True)

    assert (first.loc["dies", "status"], second.loc["dies", "status"]) == ("failed", "done")
    assert left == ["half.npz"]
    assert files_of(folder_of(out, "dies")) == CENTRES


def test_what_cannot_be_opened_says_why(shared_challenge: Path, tmp_path: Path, tracks: str) -> None:
    """A run without model, a class that is not found, a missing table, and facts that are none."""
    out = tmp_path / "out"
    run(shared_challenge, out, f"{tracks}:Centres", "majority", keep_models=True)
    folder = folder_of(out, "centres")
    model = pb.load_model(folder)
    table = load("flowcam", shared_challenge).native
    assert table is not None

    with pytest.raises(DataError, match="expected the folder of a run that was made with --keep-models"):
        pb.load_model(folder_of(out, "majority"))
    with pytest.raises(DataError, match=r"needs a feature table; expected one with the columns area, "):
        model.objects()
    with pytest.raises(DataError, match=r"'centres' lacks columns area; expected those of its run"):
        model.objects(native=table.drop(columns="area"))
    (tmp_path / "tracks.py").rename(tmp_path / "moved.py")
    with pytest.raises(TrackError, match=r"tracks.py does not exist.*track=MyTrack"):
        pb.load_model(folder)
    assert pb.load_model(folder, type(model.track)).facts == model.facts
    facts = folder / "model" / "track.json"
    facts.write_text(json.dumps(json.loads(facts.read_text()) | {"reference": ""}))
    with pytest.raises(TrackError, match="was not defined in a file"):
        pb.load_model(folder)
    facts.write_text('{"format": 2}')
    with pytest.raises(DataError, match=r"track.json does not describe a model \(format Input should be 1"):
        pb.load_model(folder)


TAXA = ("bar", "disc", "ring")


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A suite on 45 images of shapes, in one folder per taxon."""
    rng = np.random.default_rng(0)
    for taxon in TAXA:
        (tmp_path / "lake" / taxon).mkdir(parents=True)
        for number in range(15):
            y, x = np.indices((40, 36)) - rng.uniform(16, 20, (2, 1, 1))
            radius = np.hypot(x, y)
            shape = {"bar": abs(x) < 4, "disc": radius < 9, "ring": (radius > 9) & (radius < 14)}[taxon]
            grey = np.clip(230 - 150 * shape + rng.normal(0, 8, shape.shape), 0, 255).astype(np.uint8)
            cv2.imwrite(str(tmp_path / "lake" / taxon / f"{taxon}{number:02d}.png"), grey)
    suite = tmp_path / "lake.yaml"
    suite.write_text(
        "name: lake\ndatasets:\n  - {name: lake, path: lake, background: light}\nseeds: [0]\n"
        "tracks:\n  - {track: cnn-lenet, as: small, side: 32, epochs: 2, batch: 8, with_size: true, imbalance: focal}\n"
    )
    return suite


def test_a_kept_network_predicts_what_its_run_has_stored(lake: Path, tmp_path: Path) -> None:
    """From a folder of images and from images in memory; its files contain no pickle, and match their hashes."""
    out = tmp_path / "out"
    pb.run(str(lake), out=out, keep_models=True)
    folder = folder_of(out, "small", "lake")
    model = pb.load_model(folder)
    stored = pd.read_parquet(folder / "predictions.parquet").set_index("object_id").sort_index()
    objects = model.objects(tmp_path / "lake")
    rows = np.isin(objects.object_ids, stored.index)
    assert objects.images is not None
    few = {name: objects.images.read(name) for name in stored.index}

    assert files_of(folder) == ["network.keras", "outputs.json", "track.json"]
    assert (model.facts.reference, model.facts.options["side"], model.image_source.background) == (
        "cnn-lenet", 32, "light",
    )  # fmt: skip
    assert (len(objects), rows.sum()) == (45, len(stored))
    expected = stored.filter(like="score:").to_numpy()
    np.testing.assert_allclose(model.track.predict(objects.take(rows)), expected, atol=1e-6)
    np.testing.assert_allclose(model.track.predict(model.objects_in_memory(few)), expected, atol=1e-6)
    embeddings = pd.read_parquet(folder / "embeddings.parquet").set_index("object_id").loc[objects.object_ids]
    np.testing.assert_allclose(model.track.embeddings(objects), embeddings, atol=1e-5)
    assert verify(out).mismatches == []
    assert "optimizer" not in (folder / "model" / "network.keras").read_bytes().decode("latin-1")
