"""Example images of the report."""

from __future__ import annotations

import base64
import shutil
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.reports.pictures.examples import (
    LARGEST_SIDE,
    PER_CLASS,
    class_examples,
    examples_of,
    keep_examples,
    shown_objects,
)
from planktonbench.reports.results.section import sections_of
from planktonbench.reports.results.stored_run import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench.data_manifests.dataset import Dataset
    from planktonbench.reports.results.section import Section

WIDE = np.arange(40 * 400, dtype=np.uint32).astype(np.uint8).reshape(40, 400)


@pytest.fixture
def section(tmp_path: Path, add_run: Callable[..., Path]) -> Section:
    """Results of one run, with its data set in the same folder."""
    add_run(tmp_path / "results", wrong=5)
    (section,) = sections_of(read_runs(tmp_path / "results"))
    truth = section.runs[0].truth
    (tmp_path / "data" / "imgs").mkdir(parents=True)
    truth[["object_id", "taxon"]].to_csv(tmp_path / "data" / "meta.csv", index=False)
    for object_id in truth["object_id"]:
        cv2.imwrite(str(tmp_path / "data" / "imgs" / f"{object_id}.png"), WIDE)
    return section


def opened(tmp_path: Path) -> Dataset:
    """Open the data set of the results."""
    return open_folder(manifest_of_folder("lake"), tmp_path / "data")


def test_examples_are_training_objects_of_their_class(section: Section) -> None:
    """There are a few distinct examples of each class, and none is a test object."""
    truth = section.runs[0].truth.set_index("object_id")
    examples = class_examples(section)

    assert list(examples) == section.class_sizes.index.tolist()
    for taxon, ids in examples.items():
        training = truth[(truth["taxon"] == taxon) & (truth["part"] == "train")]
        assert len(ids) == len(set(ids)) == min(PER_CLASS, len(training))
        assert set(truth.loc[ids, "taxon"]) == {taxon}
        assert set(truth.loc[ids, "part"]) == {"train"}


def test_a_class_without_training_objects_has_examples(make_section: Callable[..., Section]) -> None:
    """Its examples are objects of the other subsets."""
    examples = class_examples(make_section({"taxa": {"egg": 9, "rare": 1}}))

    assert len(examples["rare"]) == 1


def test_small_copies_of_all_shown_images_are_stored(section: Section, tmp_path: Path) -> None:
    """Copies have the maximum length and the aspect ratio of the original."""
    keep_examples(tmp_path / "results", [section], opened(tmp_path))
    kept = examples_of(tmp_path / "results", "lake")
    addresses = [kept.address(object_id) for object_id in shown_objects(section)]
    content = base64.b64decode(str(addresses[0]).partition("base64,")[2])
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)

    assert None not in addresses
    assert image.shape == (round(40 * LARGEST_SIDE / 400), LARGEST_SIDE)
    assert kept.address("strange") is None


def test_small_images_are_not_resized(section: Section, tmp_path: Path) -> None:
    """No pixel of a small image is changed."""
    small = WIDE[:20, :30]
    for path in (tmp_path / "data" / "imgs").iterdir():
        cv2.imwrite(str(path), small)
    keep_examples(tmp_path / "results", [section], opened(tmp_path))
    table = pd.read_parquet(tmp_path / "results" / "examples" / "lake.parquet")
    image = cv2.imdecode(np.frombuffer(table["png"][0], np.uint8), cv2.IMREAD_UNCHANGED)

    assert (image == small).all()


def test_examples_are_replaced_if_the_data_change(section: Section, tmp_path: Path) -> None:
    """The file is rewritten only if the hash of the data has changed."""
    path = tmp_path / "results" / "examples" / "lake.parquet"
    keep_examples(tmp_path / "results", [section], opened(tmp_path))
    before = path.stat().st_mtime_ns
    keep_examples(tmp_path / "results", [section], opened(tmp_path))
    unchanged = path.stat().st_mtime_ns
    with (tmp_path / "data" / "meta.csv").open("a") as file:
        file.write("extra,egg (other)\n")
    data = opened(tmp_path)
    keep_examples(tmp_path / "results", [section], data)

    assert unchanged == before
    assert set(pd.read_parquet(path)["state"]) == {data.data_sha256}
    assert path.stat().st_mtime_ns > before


def test_an_unreadable_image_is_left_out(section: Section, tmp_path: Path) -> None:
    """Copies of the other images are stored."""
    first, *others = shown_objects(section)
    (tmp_path / "data" / "imgs" / f"{first}.png").write_bytes(b"no image")
    keep_examples(tmp_path / "results", [section], opened(tmp_path))
    kept = examples_of(tmp_path / "results", "lake")

    assert kept.address(first) is None
    assert None not in [kept.address(object_id) for object_id in others]


def test_data_without_images_have_no_examples_file(section: Section, tmp_path: Path) -> None:
    """No file is written."""
    shutil.rmtree(tmp_path / "data" / "imgs")
    keep_examples(tmp_path / "results", [section], opened(tmp_path))

    assert not (tmp_path / "results" / "examples").exists()
