"""Tests that all input pipelines deliver the same number and shape of images, and of the table of ratios."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, get_args

import cv2
import numpy as np
import pytest
from planktonbench.benchmarks.speed import training as training_module
from planktonbench.benchmarks.speed.stopwatch import Measured
from planktonbench.benchmarks.speed.training import Way, as_source001
from planktonbench.features.network_images.form import ImageForm, add_channels
from planktonbench.features.network_images.store import reopen_network_images

if TYPE_CHECKING:
    from pathlib import Path

SAMPLED = 24


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Network images of 12 small images, and copies of the files in class folders."""
    folder = tmp_path_factory.mktemp("prepared")
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(folder / "train.zip", "w") as archive:
        for number in range(12):
            image = rng.integers(150, 255, (20 + number, 30), dtype=np.uint8)
            archive.writestr(f"a/{number}.png", cv2.imencode(".png", image)[1].tobytes())
    with pytest.MonkeyPatch.context() as patch:
        patch_sizes(patch)
        return training_module._prepared(folder, folder / "train.zip")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare a few images in small batches."""
    patch_sizes(monkeypatch)


def patch_sizes(patch: pytest.MonkeyPatch) -> None:
    """Set the number of images, batch size and number of classes to small values."""
    for name, value in {"SAMPLED": SAMPLED, "BATCH": 8, "CLASSES": 3}.items():
        patch.setattr(training_module, name, value)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("way", get_args(Way))
def test_every_pipeline_delivers_all_images(prepared: tuple[str, Path], way: Way) -> None:
    """Images have three channels and the same size, appear once per epoch, and have valid labels."""
    address, unpacked = prepared
    rows = np.resize(np.arange(12), SAMPLED)

    feed = training_module._feed(way, reopen_network_images(address), rows, unpacked)

    if "y" in feed:
        shapes, labels = [feed["x"].shape], [feed["y"]]
    else:
        found = feed.get("batches", feed.get("x"))
        batches = [found[k] for k in range(len(found))] if hasattr(found, "__getitem__") else list(found)
        pictures = [batch[0]["image"] if isinstance(batch[0], dict) else batch[0] for batch in batches]
        shapes, labels = [np.shape(batch) for batch in pictures], [np.asarray(batch[1]) for batch in batches]
    assert sum(shape[0] for shape in shapes) == SAMPLED
    assert {shape[1:] for shape in shapes} == {(64, 64, 3)}
    assert set(np.concatenate(labels).astype(int)) == {0, 1, 2}


@pytest.mark.usefixtures("few")
def test_the_end_of_every_batch_is_timed(prepared: tuple[str, Path]) -> None:
    """There are two epochs of three batches, with increasing times."""
    address, unpacked = prepared
    feed = training_module._feed("ours", reopen_network_images(address), np.resize(np.arange(12), SAMPLED), unpacked)

    ends = training_module._trained(feed, epochs=2)

    assert len(ends) == 6
    assert (np.diff(ends) > 0).all()


def test_source_001_computes_the_same_channels() -> None:
    """Its generator returns the same channels as our network images."""
    grey = np.random.default_rng(1).integers(0, 255, (64, 64), dtype=np.uint8)

    found = as_source001(np.repeat(255 - grey[..., None], 3, axis=2).astype(np.float32))

    np.testing.assert_array_equal(found, add_channels(grey[None], ImageForm())[0])


def test_the_best_round_of_each_pipeline_counts() -> None:
    """A slow round of one pipeline does not affect its result from another round."""
    assert training_module._best([{"ours": 3000, "arrays": 5400}, {"ours": 5300, "arrays": 3100}]) == {
        "ours": 5300, "arrays": 5400,
    }  # fmt: skip


def test_ratios_are_computed_from_rates() -> None:
    """Each line has our rate divided by that of the alternative, and whether the limit is met."""
    rates: dict[Way, float] = dict.fromkeys(get_args(Way), 1000.0)
    rates["generator"] = 100

    lines = list(training_module._compared(rates, "some images"))

    assert [line.ratio for line in lines] == ["10.00 x", "1.00 x", "1.00 x", "1.00 x", "1.00 x"]
    assert [line.within for line in lines] == [True, False, True, None, False]


def test_training_steps_are_compared_with_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best round of each counts; the ratio is the speed-up."""
    step_seconds = iter([0.4, 0.2, 0.3, 0.5, 0.8, 0.6])
    monkeypatch.setattr(training_module, "in_subprocess", lambda *_: Measured(0.0, 0.0, next(step_seconds)))

    line = training_module.deep_network()

    assert (line.ours, line.ratio) == ("0.200 s", "2.50 x")
    assert line.reference.startswith("0.500 s")
