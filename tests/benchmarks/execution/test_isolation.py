"""Isolation of labels: a track that looks at paths, ids or positions is at chance."""

from __future__ import annotations

import json
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
from planktonbench.benchmarks.execution.exchange import Channel, Exchange
from planktonbench.benchmarks.execution.served_images import IMAGE, ServedImages, image_handler
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.images.store import open_images
from planktonbench.data_manifests.seeds import RunSeeds

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
