"""Contact sheets: some images of every taxon, in rows that can be read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest
from planktonbench import DataError
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.reports.figures.contact_sheet import GAP, TILE, chosen_objects, contact_sheet

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from planktonbench.data_manifests.dataset import Dataset

LEVELS = {"Copepoda": 40, "Stenosemella with a rather long name": 80, "egg (other)": 120}
SIZES = {"Copepoda": 6, "Stenosemella with a rather long name": 9, "egg (other)": 2}


@pytest.fixture
def lake(tmp_path: Path) -> Dataset:
    """A data set whose taxa have one grey level each, in images of any shape."""
    taxa = [taxon for taxon, size in SIZES.items() for _ in range(size)]
    (tmp_path / "lake" / "imgs").mkdir(parents=True)
    pd.DataFrame({"object_id": range(len(taxa)), "taxon": taxa}).to_csv(tmp_path / "lake" / "meta.csv", index=False)
    for number, taxon in enumerate(taxa):
        image = np.full((20 + 30 * number, 30), LEVELS[taxon], np.uint8)
        cv2.imwrite(str(tmp_path / "lake" / "imgs" / f"{number}.png"), image)
    return open_folder(manifest_of_folder("lake"), tmp_path / "lake")


def mosaic(figure: Figure) -> np.ndarray:
    """Return the picture of a sheet."""
    return np.asarray(figure.axes[0].images[0].get_array())


def test_each_row_shows_its_taxon(lake: Dataset) -> None:
    """The largest taxon first, its name beside its row, as many images as asked for or as there are."""
    figure = contact_sheet(lake, per_class=4)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    rows = np.vsplit(mosaic(figure), len(names))
    shown = [[level for tile in np.hsplit(row, 4) for level in np.unique(tile[tile < 255])] for row in rows]

    assert names == ["Stenosemella with a rather long name", "Copepoda", "egg (other)"]
    assert shown == [[80] * 4, [40] * 4, [120] * 2]


def test_small_images_keep_their_size_and_large_ones_fit(lake: Dataset) -> None:
    """Nothing is enlarged; a longer side of more than a tile is shrunk to it."""
    heights = sorted(
        int((tile < 255).any(axis=1).sum())
        for row in np.vsplit(mosaic(contact_sheet(lake, per_class=9)), 3)
        for tile in np.hsplit(row, 9)
        if (tile < 255).any()
    )

    assert heights == [20, 50, 80] + [TILE] * 14
    assert mosaic(contact_sheet(lake, per_class=9)).shape == (3 * (TILE + GAP), 9 * (TILE + GAP))


def test_no_name_is_cut(lake: Dataset) -> None:
    """The longest name lies within the figure."""
    figure = contact_sheet(lake, per_class=2)
    figure.canvas.draw()

    assert min(label.get_window_extent().x0 for label in figure.axes[0].get_yticklabels()) >= 0


def test_the_seed_decides_what_is_shown(lake: Dataset) -> None:
    """The same seed shows the same objects, another one others; each is of its taxon."""
    taxa = lake.objects.set_index("object_id")["taxon"]
    one, same, other = (chosen_objects(lake, 3, seed) for seed in (0, 0, 1))

    assert one == same
    assert one != other
    assert all(set(taxa[ids]) == {taxon} for taxon, ids in one.items())


def test_an_image_that_cannot_be_read_leaves_its_place_empty(lake: Dataset) -> None:
    """The others are shown."""
    (lake.folder / "imgs" / "16.png").write_bytes(b"no image")
    row = np.vsplit(mosaic(contact_sheet(lake, per_class=2)), 3)[2]

    assert [bool((tile < 255).any()) for tile in np.hsplit(row, 2)].count(True) == 1


@pytest.mark.parametrize("simulated", [True, False])
def test_a_sheet_of_simulated_data_says_so(lake: Dataset, *, simulated: bool) -> None:
    """And one of photographs does not."""
    figure = contact_sheet(replace(lake, simulated=simulated), per_class=1)

    assert figure.get_supxlabel() == ("simulated data" if simulated else "")


def test_what_cannot_be_shown_is_told(lake: Dataset) -> None:
    """Without images, or with none asked for."""
    with pytest.raises(DataError, match=r"lake has no images, .* Put imgs.zip beside the tables"):
        contact_sheet(replace(lake, images=None))
    with pytest.raises(DataError, match="per_class is 0; expected 1"):
        contact_sheet(lake, per_class=0)
