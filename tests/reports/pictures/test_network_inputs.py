"""Stored network images and their figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.reports.pages.write import write_results
from planktonbench.reports.pictures.network_inputs import (
    TAXA,
    keep_network_inputs,
    network_inputs_figure,
    network_inputs_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from planktonbench.data_manifests.dataset import Dataset

SHAPE = (10, 12)


def channels(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return three distinguishable channels: 1, 2 and 3 times the first grey level."""
    return np.full((32, 32, 3), image[0, 0] * np.array([1, 2, 3], np.uint8), np.uint8)


FORMS = {"32 px": channels}


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    """Eight taxa of decreasing size; the grey level of all images of a taxon is its number plus ten."""
    for taxon in range(8):
        folder = tmp_path / "data" / f"taxon{taxon}"
        folder.mkdir(parents=True)
        for number in range(12 - taxon):
            cv2.imwrite(str(folder / f"{taxon}-{number}.png"), np.full(SHAPE, 10 + taxon, np.uint8))
    return open_folder(manifest_of_folder("lake"), tmp_path / "data")


def test_each_object_is_drawn_with_its_channels(data: Dataset, tmp_path: Path) -> None:
    """Each row has the original, grey, threshold and opening of one object, with column titles."""
    keep_network_inputs(tmp_path, data, FORMS, "a")
    figure = network_inputs_figure(network_inputs_of(tmp_path, "lake"))
    assert figure is not None
    grid = np.array(figure.axes).reshape(TAXA, 4)
    shown = [[np.asarray(axes.images[0].get_array()) for axes in row] for row in grid]
    levels = [10 + int(row[0].get_ylabel().removeprefix("taxon")) for row in grid]

    assert [axes.get_title() for axes in grid[0]] == ["original", "grey", "32 px\n\nthreshold", "opening"]
    assert [[picture.shape for picture in row] for row in shown] == [[SHAPE, (32, 32), (32, 32), (32, 32)]] * TAXA
    assert [[int(picture.max()) for picture in row] for row in shown] == [[k, k, 2 * k, 3 * k] for k in levels]
    assert levels == sorted(set(levels))
    assert (levels[0], levels[-1]) == (10, 17)


def test_every_form_has_columns(data: Dataset, tmp_path: Path) -> None:
    """Tracks may use different forms of network images."""
    keep_network_inputs(tmp_path, data, {"32 px": channels, "large": lambda image: channels(image) * 2}, "a")
    figure = network_inputs_figure(network_inputs_of(tmp_path, "lake"))
    assert figure is not None
    row = figure.axes[:7]

    assert [int(np.asarray(axes.images[0].get_array()).max()) for axes in row] == [10, 10, 20, 30, 20, 40, 60]


def test_images_with_another_state_are_replaced(data: Dataset, tmp_path: Path) -> None:
    """The file is not rewritten for the same state."""
    path = network_inputs_of(tmp_path, "lake").path
    keep_network_inputs(tmp_path, data, FORMS, "a")
    before = path.stat().st_mtime_ns
    keep_network_inputs(tmp_path, data, FORMS, "a")
    unchanged = path.stat().st_mtime_ns
    keep_network_inputs(tmp_path, data, FORMS, "b")

    assert unchanged == before
    assert path.stat().st_mtime_ns > before
    assert network_inputs_of(tmp_path, "lake").shows("b")


def test_an_unreadable_image_is_skipped(data: Dataset, tmp_path: Path) -> None:
    """Taxa without readable images have no rows."""
    for path in (tmp_path / "data" / "taxon0").iterdir():
        path.write_bytes(b"no image")
    keep_network_inputs(tmp_path, data, FORMS, "a")

    assert "taxon0" not in set(network_inputs_of(tmp_path, "lake").table["taxon"])
    assert len(network_inputs_of(tmp_path, "lake").table) == 2 * (TAXA - 1)


def test_without_stored_images_there_is_no_figure(tmp_path: Path) -> None:
    """This is the case if no track uses images."""
    assert network_inputs_figure(network_inputs_of(tmp_path, "lake")) is None


def test_the_report_needs_no_data(data: Dataset, tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """The figure is drawn from stored images; only the page of its data set has it."""
    out = tmp_path / "results"
    add_run(out)
    add_run(out, dataset="bay")
    keep_network_inputs(out, data, FORMS, "a")
    for path in (tmp_path / "data").rglob("*.png"):
        path.unlink()
    write_results(out)
    lake, bay = ((out / "report" / f"dataset-{name}.html").read_text("utf-8") for name in ("lake", "bay"))

    assert lake.count("<h3>Network images</h3>") == 1
    assert "<h3>Network images</h3>" not in bay
    assert [path.name for path in (out / "report" / "figures").glob("*-network-inputs.png")] == [
        "lake-network-inputs.png"
    ]
