"""Inputs that a worker finds or prepares itself."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest
from planktonbench.benchmarks.execution.job import InputRecipe, InputRequest, PreparedInputs
from planktonbench.benchmarks.execution.settings import Settings
from planktonbench.benchmarks.planning.feature_tables import feature_tables
from planktonbench.benchmarks.planning.worker_inputs import find_dataset, prepare_inputs
from planktonbench.data_manifests.class_selection.selection import ClassSelection
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.manifest import load_manifest
from planktonbench.features.network_images.store import reopen_network_images

if TYPE_CHECKING:
    from planktonbench.data_manifests.dataset import Dataset


@pytest.fixture
def data(challenge: Path) -> Dataset:
    """The data set of the client, without one object."""
    dataset = open_folder(load_manifest("flowcam"), challenge)
    return dataset.without([dataset.objects["object_id"][0]], ())


def recipe_of(dataset: Dataset, **changes: object) -> InputRecipe:
    """Return the recipe of a data set."""
    facts = {
        "manifest": dataset.manifest,
        "folder": dataset.folder,
        "data_sha256": dataset.data_sha256,
        "excluded": dataset.excluded,
    }
    return InputRecipe.model_validate(facts | changes)


def prepared(recipe: InputRecipe, folder: Path) -> PreparedInputs:
    """Return the inputs of a recipe."""
    answer = folder / "answer.json"
    prepare_inputs(InputRequest(recipe=recipe, processes=1, answer=answer).model_dump_json())
    return PreparedInputs.model_validate_json(answer.read_bytes())


def test_the_data_are_found_by_the_rule_of_each_machine(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the path of the client, then the folder of the environment variable; folders with other files are left."""
    absent = recipe_of(data, folder=tmp_path / "absent")
    shutil.copytree(data.folder, tmp_path / "mine" / "flowcam")
    monkeypatch.setenv("PLANKTONBENCH_DATA", str(tmp_path / "mine"))

    assert find_dataset(recipe_of(data)).folder == data.folder
    assert find_dataset(absent).folder == tmp_path / "mine" / "flowcam"
    assert find_dataset(absent).objects.equals(data.objects)
    (data.folder / "meta.csv").write_text((data.folder / "meta.csv").read_text() + "\n")
    assert find_dataset(recipe_of(data)).folder == tmp_path / "mine" / "flowcam"


def test_the_folders_without_the_data_are_listed(data: Dataset, tmp_path: Path) -> None:
    """The message states what each of them lacks, and what to do."""
    (tmp_path / "empty").mkdir()
    fault = prepared(recipe_of(data, folder=tmp_path / "empty"), tmp_path).fault

    assert fault.startswith(f"lacks the files of data set 'flowcam' that this call uses: {tmp_path / 'empty'}")
    assert "planktonbench/data/flowcam does not exist. Copy them to " in fault
    assert fault.endswith("set PLANKTONBENCH_DATA there to a folder that contains them as 'flowcam/'.")


def test_the_table_is_that_of_the_client(data: Dataset, tmp_path: Path) -> None:
    """Its rows are the objects that were not excluded."""
    found = prepared(recipe_of(data, features={"table": "native"}), tmp_path)
    table = feature_tables(data, ["native"], Settings())["native"]

    assert found == PreparedInputs(native=table.path, images=data.images.address if data.images else "")
    assert len(pd.read_parquet(str(found.native))) == len(data) == 106


def test_selected_classes_are_found(data: Dataset, tmp_path: Path) -> None:
    """Under the name of the entry of the suite; a selection of other classes is not these data."""
    whole = open_folder(load_manifest("flowcam"), data.folder)
    chosen = replace(whole, label="large").select(ClassSelection(min_objects=12, withhold=("Copepoda",)))
    fewer = chosen.without([chosen.objects["object_id"][0]], ())
    assert fewer.selected is not None
    recipe = recipe_of(fewer, label="large", selected=fewer.selected.names)
    found = find_dataset(recipe)

    assert (found.name, found.data_sha256, found.classes) == ("large", fewer.data_sha256, fewer.classes)
    assert found.objects.equals(fewer.objects)
    assert prepared(recipe.model_copy(update={"features": {"table": "native"}}), tmp_path).native == (
        feature_tables(fewer, ["native"], Settings())["native"].path
    )
    with pytest.raises(DataError, match="has other files"):
        find_dataset(recipe.model_copy(update={"selected": fewer.selected.names[:2]}))


def test_other_measured_values_are_refused(data: Dataset, tmp_path: Path) -> None:
    """Otherwise two runs of a suite would learn from different values."""
    features = {"table": "measured", "values_sha256": "of another processor"}

    assert prepared(recipe_of(data, features=features), tmp_path).fault == (
        "measures other values in the images of 'flowcam' than the machine that planned the runs. "
        "Use workers of the same kind, or share the cache."
    )


def test_images_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    """Unless the client has excluded their objects."""
    for number in range(4):
        (tmp_path / "lake" / f"taxon{number % 2}").mkdir(parents=True, exist_ok=True)
        pixels = np.full((9, 9), 60 * number, np.uint8)
        cv2.imwrite(str(tmp_path / "lake" / f"taxon{number % 2}" / f"{number}.png"), pixels)
    (tmp_path / "lake" / "taxon1" / "3.png").write_bytes(b"damaged")
    dataset = open_folder(load_manifest("flowcam"), tmp_path / "lake")
    excluded = dataset.without(["3"], ())
    form = {"side": 32}

    fault = prepared(recipe_of(dataset, image_form=form), tmp_path).fault
    assert fault.startswith("cannot read images of 'lake' that the machine that planned the runs can: 3.")
    address = prepared(recipe_of(excluded, image_form=form), tmp_path).network_images
    assert sorted(reopen_network_images(address).object_ids) == ["0", "1", "2"]


def test_no_data_set_is_found_without_its_folder(data: Dataset) -> None:
    """The error has the folder."""
    with pytest.raises(DataError, match=r"/nowhere does not exist; "):
        find_dataset(recipe_of(data, folder=Path("/nowhere")))
