"""Objects in the cells of confusion matrices and copies of their images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.reports.pages.explorer import Explorer
from planktonbench.reports.pictures import confusion_cells as cells
from planktonbench.reports.pictures.confusion_cells import PER_CELL, cell_objects, cell_pictures_of
from planktonbench.reports.pictures.kept_pictures import ImageCopies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench.data_manifests.dataset import Dataset
    from planktonbench.reports.results.section import Section


@pytest.fixture
def section(make_section: Callable[..., Section]) -> Section:
    """Two tracks, of which the second makes all errors of the first and more."""
    return make_section({"wrong": 2}, {"track": "fair", "wrong": 9})


def test_every_cell_has_objects(section: Section) -> None:
    """No cell is empty or has too many objects, and each object belongs to its cell."""
    found = cell_objects(section)

    for track in section.done:
        predictions = track.runs[0].predictions.set_index("object_id")
        rows = found[found["track"] == track.name]
        sizes = rows.groupby(["taxon", "predicted"]).size().to_dict()
        expected = predictions.groupby(["taxon", "predicted"]).size().clip(upper=PER_CELL).to_dict()
        assert sizes == expected
        assert predictions.loc[rows["object_id"], "predicted"].tolist() == rows["predicted"].tolist()


def test_tracks_share_objects_of_common_errors(section: Section) -> None:
    """Objects misclassified by both tracks are chosen for both, so that fewer images are stored."""
    found = cell_objects(section)
    wrong = found[found["taxon"] != found["predicted"]]
    good, fair = (wrong[wrong["track"] == name]["object_id"].tolist() for name in ("good", "fair"))

    assert len(good) == 2
    assert set(good) < set(fair)


def test_the_limit_is_allotted_by_cell_size(section: Section, monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest cell has most objects, the smallest have none, and the limit is respected."""
    sizes = section.tracks[0].confusion.stack()
    monkeypatch.setattr(cells, "MOST_OBJECTS", PER_CELL)
    found = cell_objects(section)
    shown = found[found["track"] == "good"].groupby(["taxon", "predicted"]).size()

    assert len(set(found["object_id"])) == PER_CELL
    assert shown.idxmax() == sizes.idxmax()
    assert len(shown) < (sizes > 0).sum()


def opened(section: Section, folder: Path, *, grey: int = 7) -> Dataset:
    """Return the data set of a section, with an image of each object."""
    truth = section.runs[0].truth
    (folder / "imgs").mkdir(parents=True)
    truth[["object_id", "taxon"]].to_csv(folder / "meta.csv", index=False)
    for object_id in truth["object_id"]:
        cv2.imwrite(str(folder / "imgs" / f"{object_id}.png"), np.full((30, 300), grey, np.uint8))
    return open_folder(manifest_of_folder("lake"), folder)


def test_small_copies_are_stored_and_replaced_if_the_data_change(section: Section, tmp_path: Path) -> None:
    """Copies are at most 72 pixels wide; images with a copy are not read again."""
    data = opened(section, tmp_path / "data")
    ids = section.runs[0].truth["object_id"].tolist()[:3]
    cell_pictures_of(tmp_path, data.name).keep(data, ids)
    stored = cell_pictures_of(tmp_path, "lake")
    image = cv2.imdecode(np.frombuffer(stored.by_object[ids[0]], np.uint8), cv2.IMREAD_GRAYSCALE)
    before = stored.path.stat().st_mtime_ns

    assert image is not None
    assert image.shape == (7, 72)
    assert sorted(stored.by_object) == sorted(ids)
    cell_pictures_of(tmp_path, data.name).keep(data, ids[:2])
    assert stored.path.stat().st_mtime_ns == before
    (tmp_path / "data" / "imgs" / f"{ids[0]}.png").write_bytes(b"no image")
    changed = open_folder(manifest_of_folder("lake"), tmp_path / "data")
    cell_pictures_of(tmp_path, changed.name).keep(changed, ids)
    assert sorted(cell_pictures_of(tmp_path, "lake").by_object) == sorted(ids[1:])


def test_the_script_of_the_page_gets_all_cells(section: Section, tmp_path: Path) -> None:
    """It gets counts, classes by size and objects by number; without images there is no file of images."""
    explorer = Explorer.of(section, ImageCopies(tmp_path / "none.parquet", 112))
    plain: dict[str, Any] = explorer.to_json()

    assert plain["classes"] == ["detritus", "Copepoda", "egg (other)"]
    assert plain["orders"] == {"size": [0, 1, 2], "name": [1, 0, 2]}
    for track, entry in zip(section.done, plain["tracks"], strict=True):
        counts = {(plain["classes"][t], plain["classes"][c]): n for t, c, n, _ in entry["cells"]}
        matrix = {(t, c): n for t, row in track.confusion.iterrows() for c, n in row.items() if n}
        assert counts == matrix
        assert entry["name"] == track.name
        assert all(max(objects) < len(plain["objects"]) for *_, objects in entry["cells"])
    assert not explorer.write_pictures(tmp_path / "pictures.js")
    assert not (tmp_path / "pictures.js").exists()


def test_classes_are_ordered_by_lineage(make_section: Callable[..., Section], tmp_path: Path) -> None:
    """Related classes are adjacent; classes without lineage come last."""
    section = make_section()
    lineages = {"egg (other)": "living/A", "Copepoda": "living/B"}
    truth = section.runs[0].truth
    section.runs[0].__dict__["truth"] = truth.assign(lineage=truth["taxon"].map(lineages))
    orders = Explorer.of(section, ImageCopies(tmp_path / "none.parquet", 112)).to_json()["orders"]

    assert orders["taxonomy"] == [2, 1, 0]
