"""Isolation of labels: a track that looks at paths, ids or positions is at chance."""

from __future__ import annotations

import os
import pickle
import threading
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
from planktonbench.benchmarks.execution.blinded_objects import BlindedObjects
from planktonbench.benchmarks.execution.run_server import RunClient, RunServer
from planktonbench.benchmarks.execution.served_images import IMAGE, ServedImages, image_handler
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.images.store import open_images

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TAXA = ("Acantharea", "Copepoda", "Noctiluca")
PER_TAXON = 30

CHEATS = '''
import pickle, re
import numpy as np
from planktonbench import Track
from planktonbench.features.network_images.form import ImageForm

class Cheat(Track):
    """Looks for a number or the name of a taxon in a text about each object."""
    inputs = {"images"}
    def texts(self, objects):
        raise NotImplementedError
    def fit(self, train, valid, *, rng):
        self.most = np.bincount(train.y, minlength=len(train.classes)) / len(train)
        first = [text.split("/")[0] for text in self.texts(train)]
        self.code = dict(zip(first, train.y.tolist()))
    def predict(self, objects):
        rows = []
        for text in self.texts(objects):
            named = [k for k, taxon in enumerate(objects.classes) if taxon in text]
            code = named[0] if named else self.code.get(text.split("/")[0])
            rows.append(self.most if code is None else np.eye(len(objects.classes))[code])
        return np.array(rows)

class Ids(Cheat):
    name = "ids"
    def texts(self, objects):
        return [str(one) for one in objects.object_ids]

class Paths(Cheat):
    name = "paths"
    def texts(self, objects):
        reader = objects.images
        members = getattr(reader, "members", {})
        seen = repr(vars(reader)) + repr(pickle.dumps(reader)) + repr(reader)
        found = "".join(taxon for taxon in objects.classes if taxon in seen)
        return [members.get(one, found) for one in objects.object_ids]

class Positions(Track):
    """Takes the class of the training rows at the same share of the rows."""
    name = "positions"
    inputs = {"images"}
    def fit(self, train, valid, *, rng):
        self.codes = train.y
    def places(self, objects):
        return np.arange(len(objects)) / len(objects)
    def predict(self, objects):
        codes = self.codes[(self.places(objects) * len(self.codes)).astype(int)]
        return np.eye(len(objects.classes))[codes]

class StorePositions(Positions):
    """Takes the class of the training row whose network image is stored nearest."""
    name = "store-positions"
    @property
    def image_form(self):
        return ImageForm(side=32)
    def fit(self, train, valid, *, rng):
        self.rows, self.codes = train.network_images.rows(train.object_ids), train.y
    def predict(self, objects):
        rows = objects.network_images.rows(objects.object_ids)
        nearest = abs(rows[:, None] - self.rows).argmin(axis=1)
        return np.eye(len(objects.classes))[self.codes[nearest]]
'''


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of noise in one folder per taxon; file names repeat, so that ids contain the folder."""
    folder, rng = tmp_path_factory.mktemp("lake"), np.random.default_rng(0)
    for taxon in TAXA:
        (folder / taxon).mkdir()
        for number in range(PER_TAXON):
            cv2.imwrite(str(folder / taxon / f"{number:02d}.png"), rng.integers(0, 255, (20, 24), np.uint8))
    return folder


@pytest.fixture(scope="module")
def scores(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Accuracy of each cheat, by track and seed."""
    folder = tmp_path_factory.mktemp("cheats")
    (folder / "cheats.py").write_text(CHEATS)
    (folder / "lake.yaml").write_text(
        f"name: lake\ndatasets:\n  - {{name: lake, path: {lake}, background: light}}\ntracks: [majority]\n"
        "split: {kind: holdout, test: 0.4, valid: 0.1}\nseeds: [0, 1]\n"
    )
    tracks = [f"{folder}/cheats.py:{name}" for name in ("Ids", "Paths", "Positions", "StorePositions")]
    return pb.run(str(folder / "lake.yaml"), tracks=tracks, out=folder / "out", jobs=2)


@pytest.mark.parametrize("track", ["ids", "paths", "positions", "store-positions"])
def test_cheats_are_at_chance(scores: pd.DataFrame, track: str) -> None:
    """In two runs with 36 test objects each, accuracy is that of guessing one of three classes."""
    runs = scores[scores["track"] == track]

    assert runs["status"].tolist() == ["done", "done"], runs["reason"].tolist()
    assert runs["accuracy"].mean() == pytest.approx(1 / 3, abs=0.17)  # three standard deviations of 72 objects


@pytest.fixture
def served(lake: Path) -> Iterator[tuple[ServedImages, BlindedObjects, Path]]:
    """Reader of the images of the lake, in the same process as the server."""
    images = open_images(lake, id_parts=2)
    ids = list(images.members)
    truth = pd.DataFrame({"object_id": ids, "part": "test", "taxon": TAXA[0], "sample": None})
    path = lake.parent / "truth.parquet"
    truth.to_parquet(path)
    objects = BlindedObjects.read(path, TAXA, "secret")
    server = RunServer({IMAGE: image_handler(images, objects.real)})
    yield ServedImages(RunClient(server.address, server.key)), objects, lake
    server.close()


def test_images_are_served_to_threads_and_forked_processes(served: tuple[ServedImages, BlindedObjects, Path]) -> None:
    """Each gets the pixels of its own objects, also through a pickled reader."""
    reader, objects, lake = served
    subset = objects.subsets["test"]
    faults: list[str] = []

    def read(reader: ServedImages, rows: range) -> None:
        for row in rows:
            expected = cv2.imread(str(lake / f"{subset.object_ids[row]}.png"), cv2.IMREAD_GRAYSCALE)
            if not np.array_equal(reader.read(subset.opaque_ids[row]), expected):
                faults.append(subset.object_ids[row])

    threads = [threading.Thread(target=read, args=(reader, range(k, len(subset), 4))) for k in range(4)]
    for thread in threads:
        thread.start()
    pid = os.fork()
    if pid == 0:
        read(reader, range(10))
        os._exit(len(faults))
    for thread in threads:
        thread.join(30)
    read(pickle.loads(pickle.dumps(reader)), range(5))  # noqa: S301 - made here

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert faults == []


def test_a_reader_reveals_only_pixels(served: tuple[ServedImages, BlindedObjects, Path]) -> None:
    """No path, id or taxon is in its attributes, its representation, its pickle, or the attributes of these."""
    reader, _, lake = served
    reader.read(served[1].subsets["test"].opaque_ids[0])
    client = reader._client
    texts = [
        repr(reader),
        repr(pickle.dumps(reader)),
        repr(vars(reader)),
        repr(vars(client)),
        repr(vars(client._local)),
    ]
    hidden = [str(lake), lake.name + "/", *TAXA, ".png"]

    assert [word for word in hidden for text in texts if word in text] == []
    assert [name for name in dir(reader) if not name.startswith("_")] == ["read"]


def test_images_that_cannot_be_read_are_named_without_a_path(
    served: tuple[ServedImages, BlindedObjects, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    """The path is in the log of the run; a real id is no id."""
    reader, objects, lake = served
    subset = objects.subsets["test"]
    (lake / f"{subset.object_ids[7]}.png").write_bytes(b"no image")

    with pytest.raises(DataError) as fault:
        reader.read(subset.opaque_ids[7])
    assert str(fault.value) == f"Object {subset.opaque_ids[7]} has no readable image."
    assert f"{subset.object_ids[7]}.png" in capfd.readouterr().err
    with pytest.raises(DataError, match="has no readable image"):
        reader.read(subset.object_ids[0])
