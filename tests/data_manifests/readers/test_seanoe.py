"""The SEANOE layout: both spellings of its columns, and every oddity that real sets are known to have."""

from __future__ import annotations

import tarfile
import zipfile
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planktonbench.data_manifests.dataset import Dataset, open_folder
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.manifest import load_manifest, manifest_of_folder
from planktonbench.data_manifests.readers import seanoe
from planktonbench.data_manifests.readers.layouts import locate
from planktonbench.data_manifests.readers.seanoe import plain_spaces
from planktonbench.data_manifests.splits import SplitPlan, make_splits

if TYPE_CHECKING:
    from pathlib import Path

TAXA = ["badfocus<artefact", "Calocalanus pavo", "larvae_Annelida"]
NEW = {"taxon": "taxon_level1", "lineage": "lineage_level1"}
OTHERS = {
    "inventory.tsv": "lineage_level1\ttaxon_level1\tn\n",
    "features_skimage.csv.gz": "not read",
    "map.png": "",
    "._taxa.csv.gz": "",
    "imgs/._a/._1.png": "",
    "imgs/badfocus__artefact/._100.png": "",
    "__MACOSX/imgs/badfocus__artefact/100.png": "",
}


def tables(n: int = 24) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table of taxa, in the older spelling, and the native table of n objects."""
    taxa = [TAXA[number % 3] for number in range(n)]
    objects = pd.DataFrame(
        {
            "objid": range(100, 100 + n),
            "taxon": taxa,
            "lineage": [f"/living/{taxon}" for taxon in taxa],
            "set": [("train", "train", "val", "test")[number // 3 % 4] for number in range(n)],
        }
    )
    return objects, pd.DataFrame({"objid": range(100, 100 + n), "area": range(n), "framename": "f", "%area": 1.5})


def newer(objects: pd.DataFrame) -> pd.DataFrame:
    """Return a table of taxa in the newer spelling, with level 2, plankton flag and paths."""
    paths = [
        f"imgs/{taxon.replace('<', '__')}/{key}.png"
        for taxon, key in zip(objects["taxon"], objects["objid"], strict=True)
    ]
    return objects.rename(columns=NEW).assign(taxon_level2="group", plankton=True, img_path=paths)


def written(folder: Path, objects: pd.DataFrame, native: pd.DataFrame, suffix: str = ".csv.gz") -> Path:
    """Write a data set in the layout, with an empty image of each object and what else lies in real ones."""
    folder.mkdir(parents=True)
    for name, text in OTHERS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    objects.to_csv(folder / f"taxa{suffix}", index=False)
    native.to_csv(folder / f"features_native{suffix}", index=False)
    taxon = "taxon" if "taxon" in objects else "taxon_level1"
    for key, name in zip(objects["objid"], objects[taxon], strict=True):
        path = folder / "imgs" / plain_spaces(name).replace("<", "__") / f"{key}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def opened(folder: Path) -> Dataset:
    """Open a folder; framename is no measurement, as the manifest of ZooCAMNet says."""
    return open_folder(manifest_of_folder("made").model_copy(update={"never_features": ("framename",)}), folder)


@pytest.mark.parametrize("spelling", ["older", "newer"])
@pytest.mark.parametrize("suffix", [".csv.gz", ".csv"])
def test_both_spellings_are_read_alike(tmp_path: Path, spelling: str, suffix: str) -> None:
    """Taxon and lineage of level 1, the published set, ids, native values and images; nothing to remark."""
    objects, native = tables()
    folder = written(tmp_path / "set", newer(objects) if spelling == "newer" else objects, native, suffix)
    data = opened(folder)

    assert locate(folder) == ("seanoe", folder)
    assert data.objects["object_id"].tolist() == [str(key) for key in objects["objid"]]
    for column in ("taxon", "lineage", "set"):
        assert data.objects[column].tolist() == objects[column].tolist()
    assert data.native is not None
    assert data.native["area"].tolist() == native["area"].tolist()
    assert list(data.native.columns) == ["area", "%area"]
    assert data.images is not None
    assert data.images.members["100"] == "badfocus__artefact/100.png"
    assert (len(data.images), data.notes) == (24, ())


@pytest.mark.parametrize("valid", ["val", "valid"])
def test_both_names_of_the_validation_part_are_read(tmp_path: Path, valid: str) -> None:
    """The published split is taken as it is."""
    objects, native = tables()
    objects["set"] = objects["set"].replace("val", valid)
    split = make_splits(opened(written(tmp_path / "set", objects, native)), SplitPlan(kind="published"), seed=0)[0]

    for part in ("train", "valid", "test"):
        expected = objects.loc[objects["set"] == {"valid": valid}.get(part, part), "objid"]

        assert set(split.ids(part)) == set(expected.astype(str))


def test_odd_spaces_in_names_are_made_plain_and_told(tmp_path: Path) -> None:
    """U+202F goes, a no-break space becomes a plain one; objects of two spellings are of one taxon."""
    objects, native = tables()
    odd = {"larvae_Annelida": "larvae\u202f_Annelida", "Calocalanus pavo": "Calocalanus\u00a0pavo"}
    objects["taxon"] = objects["taxon"].where(objects.index < 12, objects["taxon"].replace(odd))
    objects["lineage"] = objects["lineage"].replace("/living/larvae_Annelida", "/living/larvae\u202f_Annelida")
    data = opened(written(tmp_path / "set", newer(objects), native))

    assert data.classes == tuple(sorted(TAXA))
    assert set(data.objects["lineage"]) == {f"/living/{taxon}" for taxon in TAXA}
    assert [(entry.code, entry.count) for entry in data.notes] == [("odd-spaces", 3)]
    assert set(data.notes[0].examples) == {"larvae_Annelida", "Calocalanus pavo", "/living/larvae_Annelida"}


@given(st.text(st.sampled_from("aB<_ \u202f\u00a0\u2009")))
def test_plain_names_stay_plain(name: str) -> None:
    """No odd space is left, letters stay in their order, and doing it again changes nothing."""
    plain = plain_spaces(name)

    assert plain == plain_spaces(plain) == plain.strip()
    assert set(plain) <= set("aB<_ ")
    assert "".join(plain.split()) == "".join(name.split())


def test_an_image_in_the_folder_of_another_taxon_is_told(tmp_path: Path) -> None:
    """The table decides; a folder that is called like no taxon of the table says nothing."""
    folder = written(tmp_path / "set", *tables())
    (folder / "imgs" / "badfocus__artefact" / "100.png").rename(folder / "imgs" / "larvae_Annelida" / "100.png")
    (folder / "imgs" / "badfocus__artefact").rename(folder / "imgs" / "badfocus")
    data = opened(folder)

    assert [(entry.code, entry.examples) for entry in data.notes] == [("other-folder", ("100",))]
    assert data.objects["taxon"][0] == "badfocus<artefact"


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_images_may_stay_in_an_archive_beside_the_tables(tmp_path: Path, kind: str) -> None:
    """Only the tables have to be unpacked."""
    folder = written(tmp_path / "set", *tables())
    files = [path for path in sorted((folder / "imgs").rglob("*")) if path.is_file()]
    if kind == "zip":
        with zipfile.ZipFile(folder / "imgs.zip", "w") as archive:
            for path in files:
                archive.write(path, path.relative_to(folder))
    else:
        with tarfile.open(folder / "imgs.tar", "w") as tar:
            tar.add(folder / "imgs", "imgs")
    (folder / "imgs").rename(tmp_path / "moved")
    data = opened(folder)

    assert data.images is not None
    assert (data.images.source, len(data.images), data.notes) == (folder / f"imgs.{kind}", 24, ())


def test_the_folder_that_an_archive_unpacks_to_is_entered(tmp_path: Path) -> None:
    """FlowCAMNet's tar holds FlowCamNet/; whoever gives the folder around it means it."""
    inner = written(tmp_path / "downloads" / "FlowCamNet", *tables())

    assert locate(tmp_path / "downloads") == ("seanoe", inner)
    assert len(opened(tmp_path / "downloads")) == 24


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_of_tables_and_images_has_to_be_unpacked(tmp_path: Path, kind: str) -> None:
    """Its folders alone would lose the published split, so that it is not read as class folders."""
    folder = written(tmp_path / "FlowCamNet", *tables())
    archive = tmp_path / f"113201.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as target:
            for path in folder.rglob("*"):
                target.write(path, path.relative_to(tmp_path))
    else:
        with tarfile.open(archive, "w") as tar:
            tar.add(folder, "FlowCamNet")

    with pytest.raises(DataError, match=rf"113201\.{kind} holds .* tables \(FlowCamNet/taxa\.csv\.gz\)\. Unpack it"):
        opened(archive)


def test_a_subset_beside_the_images_is_not_read(tmp_path: Path) -> None:
    """UVP6Net has a second folder with images of the same ids: it neither doubles nor replaces them."""
    folder = written(tmp_path / "set", *tables())
    (folder / "embedded" / "other").mkdir(parents=True)
    (folder / "embedded" / "other" / "100.png").touch()
    data = opened(folder)

    assert data.images is not None
    assert data.images.members["100"] == "badfocus__artefact/100.png"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: (f / "taxa.csv.gz").unlink(), r"taxa\.csv\.gz does not exist"),
        (lambda f: (f / "taxa.csv").touch(), r"set has both taxa\.csv and taxa\.csv\.gz; expected one of them"),
        (lambda f: (f / "features_native.csv").touch(), r"both features_native\.csv and features_native\.csv\.gz"),
        (lambda f: (f / "taxa.csv.gz").write_bytes(b"no gzip"), r"taxa\.csv\.gz is not a readable table"),
        (lambda f: (f / "imgs.zip").touch(), r"set has both imgs\.zip and imgs/; expected one of them"),
    ],
)
def test_what_is_wrong_with_the_files_is_told(tmp_path: Path, change: object, message: str) -> None:
    """Each message names the file."""
    folder = written(tmp_path / "set", *tables())
    assert callable(change)
    change(folder)

    with pytest.raises(DataError, match=message):
        opened(folder)


def test_native_table_and_images_may_be_missing(tmp_path: Path) -> None:
    """Taxa alone are a data set, for tracks that want neither."""
    folder = tmp_path / "set"
    folder.mkdir()
    newer(tables()[0]).to_csv(folder / "taxa.csv", index=False)
    raw = seanoe.read(folder)

    assert (raw.native, raw.native_path, raw.images, raw.notes) == (None, None, None, ())
    assert seanoe.files(folder) == [folder / "taxa.csv"]


@pytest.mark.parametrize("name", ["isiisnet", "zoocamnet", "zooscannet"])
def test_columns_of_the_instrument_that_are_no_measurements_are_left_out(tmp_path: Path, name: str) -> None:
    """The manifest lists them, text or number; the folder is known by its taxa."""
    manifest = load_manifest(name)
    taxa = sorted(manifest.classes)
    ids = range(len(taxa))
    objects = pd.DataFrame({"objid": ids, "taxon_level1": taxa, "lineage_level1": "/living", "set": "train"})
    native = pd.DataFrame({"objid": ids, "area": 1.0, **dict.fromkeys(manifest.never_features, "text")})
    data = open_folder(None, written(tmp_path / "set", objects, native))

    assert data.name == name
    assert data.native is not None
    assert list(data.native.columns) == ["area"]
