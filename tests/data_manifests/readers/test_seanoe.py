"""Reader of the SEANOE layout: older and newer column names, and known irregularities of real data sets."""

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
    """Return the table of taxa with the older column names, and the native table, of n objects."""
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


def with_new_columns(objects: pd.DataFrame) -> pd.DataFrame:
    """Return a table of taxa with the newer column names, including level 2, plankton flag and paths."""
    paths = [
        f"imgs/{taxon.replace('<', '__')}/{key}.png"
        for taxon, key in zip(objects["taxon"], objects["objid"], strict=True)
    ]
    return objects.rename(columns=NEW).assign(taxon_level2="group", plankton=True, img_path=paths)


def write_dataset(folder: Path, objects: pd.DataFrame, native: pd.DataFrame, suffix: str = ".csv.gz") -> Path:
    """Write a data set in this layout, with empty image files, and further files as in real data sets."""
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


def open_dataset(folder: Path) -> Dataset:
    """Open a folder; framename is in never_features, as in the manifest of ZooCAMNet."""
    return open_folder(manifest_of_folder("made").model_copy(update={"never_features": ("framename",)}), folder)


@pytest.mark.parametrize("spelling", ["older", "newer"])
@pytest.mark.parametrize("suffix", [".csv.gz", ".csv"])
def test_older_and_newer_columns_give_the_same_data(tmp_path: Path, spelling: str, suffix: str) -> None:
    """These are taxon and lineage of level 1, the published set, ids, native values and images; there are no notes."""
    objects, native = tables()
    folder = write_dataset(
        tmp_path / "set", with_new_columns(objects) if spelling == "newer" else objects, native, suffix
    )
    data = open_dataset(folder)

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
def test_both_names_of_the_validation_subset_are_read(tmp_path: Path, valid: str) -> None:
    """The published split is used unchanged."""
    objects, native = tables()
    objects["set"] = objects["set"].replace("val", valid)
    split = make_splits(
        open_dataset(write_dataset(tmp_path / "set", objects, native)), SplitPlan(kind="published"), seed=0
    )[0]

    for subset in ("train", "valid", "test"):
        expected = objects.loc[objects["set"] == {"valid": valid}.get(subset, subset), "objid"]

        assert set(split.ids(subset)) == set(expected.astype(str))


def test_unusual_spaces_in_names_are_normalised(tmp_path: Path) -> None:
    """U+202F is removed and a no-break space replaced, so that both spellings are one taxon; this is reported."""
    objects, native = tables()
    unusual = {"larvae_Annelida": "larvae\u202f_Annelida", "Calocalanus pavo": "Calocalanus\u00a0pavo"}
    objects["taxon"] = objects["taxon"].where(objects.index < 12, objects["taxon"].replace(unusual))
    objects["lineage"] = objects["lineage"].replace("/living/larvae_Annelida", "/living/larvae\u202f_Annelida")
    data = open_dataset(write_dataset(tmp_path / "set", with_new_columns(objects), native))

    assert data.classes == tuple(sorted(TAXA))
    assert set(data.objects["lineage"]) == {f"/living/{taxon}" for taxon in TAXA}
    assert [(entry.code, entry.count) for entry in data.notes] == [("odd-spaces", 3)]
    assert set(data.notes[0].examples) == {"larvae_Annelida", "Calocalanus pavo", "/living/larvae_Annelida"}


@given(st.text(st.sampled_from("aB<_ \u202f\u00a0\u2009")))
def test_plain_spaces_is_idempotent(name: str) -> None:
    """No unusual spaces remain, and other characters are unchanged."""
    plain = plain_spaces(name)

    assert plain == plain_spaces(plain) == plain.strip()
    assert set(plain) <= set("aB<_ ")
    assert "".join(plain.split()) == "".join(name.split())


def test_images_in_the_folder_of_another_taxon_are_reported(tmp_path: Path) -> None:
    """The taxon of the table is used; folders that are not named like a taxon of the table are ignored."""
    folder = write_dataset(tmp_path / "set", *tables())
    (folder / "imgs" / "badfocus__artefact" / "100.png").rename(folder / "imgs" / "larvae_Annelida" / "100.png")
    (folder / "imgs" / "badfocus__artefact").rename(folder / "imgs" / "badfocus")
    data = open_dataset(folder)

    assert [(entry.code, entry.examples) for entry in data.notes] == [("other-folder", ("100",))]
    assert data.objects["taxon"][0] == "badfocus<artefact"


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_images_may_be_in_an_archive(tmp_path: Path, kind: str) -> None:
    """Only the tables have to be unpacked."""
    folder = write_dataset(tmp_path / "set", *tables())
    files = [path for path in sorted((folder / "imgs").rglob("*")) if path.is_file()]
    if kind == "zip":
        with zipfile.ZipFile(folder / "imgs.zip", "w") as archive:
            for path in files:
                archive.write(path, path.relative_to(folder))
    else:
        with tarfile.open(folder / "imgs.tar", "w") as tar:
            tar.add(folder / "imgs", "imgs")
    (folder / "imgs").rename(tmp_path / "moved")
    data = open_dataset(folder)

    assert data.images is not None
    assert (data.images.source, len(data.images), data.notes) == (folder / f"imgs.{kind}", 24, ())


def test_the_folder_of_an_unpacked_archive_is_entered(tmp_path: Path) -> None:
    """The tar file of FlowCAMNet contains FlowCamNet/; its parent folder can be opened, too."""
    inner = write_dataset(tmp_path / "downloads" / "FlowCamNet", *tables())

    assert locate(tmp_path / "downloads") == ("seanoe", inner)
    assert len(open_dataset(tmp_path / "downloads")) == 24


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_with_tables_has_to_be_unpacked(tmp_path: Path, kind: str) -> None:
    """It is not read as class folders, since the published split would be lost."""
    folder = write_dataset(tmp_path / "FlowCamNet", *tables())
    archive = tmp_path / f"113201.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as target:
            for path in folder.rglob("*"):
                target.write(path, path.relative_to(tmp_path))
    else:
        with tarfile.open(archive, "w") as tar:
            tar.add(folder, "FlowCamNet")

    with pytest.raises(DataError, match=rf"113201\.{kind} contains .* tables \(FlowCamNet/taxa\.csv\.gz\)\. Unpack it"):
        open_dataset(archive)


def test_other_folders_with_images_are_not_read(tmp_path: Path) -> None:
    """UVP6Net has a second folder with images of the same ids, which is ignored."""
    folder = write_dataset(tmp_path / "set", *tables())
    (folder / "embedded" / "other").mkdir(parents=True)
    (folder / "embedded" / "other" / "100.png").touch()
    data = open_dataset(folder)

    assert data.images is not None
    assert data.images.members["100"] == "badfocus__artefact/100.png"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: (f / "taxa.csv.gz").unlink(), r"taxa\.csv\.gz does not exist"),
        (lambda f: (f / "taxa.csv").touch(), r"set has both taxa\.csv and taxa\.csv\.gz; expected one of them"),
        (lambda f: (f / "features_native.csv").touch(), r"both features_native\.csv and features_native\.csv\.gz"),
        (lambda f: (f / "taxa.csv.gz").write_bytes(b"no gzip"), r"taxa\.csv\.gz is not a readable table"),
        (lambda f: (f / "imgs.zip").touch(), r"set has imgs\.zip and imgs/; expected one of them"),
    ],
)
def test_missing_and_faulty_files_are_errors(tmp_path: Path, change: object, message: str) -> None:
    """Each message has the name of the file."""
    folder = write_dataset(tmp_path / "set", *tables())
    assert callable(change)
    change(folder)

    with pytest.raises(DataError, match=message):
        open_dataset(folder)


def test_native_table_and_images_may_be_missing(tmp_path: Path) -> None:
    """A table of taxa is enough for tracks that need neither."""
    folder = tmp_path / "set"
    folder.mkdir()
    with_new_columns(tables()[0]).to_csv(folder / "taxa.csv", index=False)
    raw = seanoe.read(folder)

    assert (raw.native, raw.native_path, raw.images, raw.notes) == (None, None, None, ())
    assert seanoe.files(folder) == [folder / "taxa.csv"]


@pytest.mark.parametrize("name", ["isiisnet", "zoocamnet", "zooscannet"])
def test_never_features_of_the_manifest_are_excluded(tmp_path: Path, name: str) -> None:
    """They may be text or numbers; the manifest is found by the taxa of the folder."""
    manifest = load_manifest(name)
    taxa = sorted(manifest.classes)
    ids = range(len(taxa))
    objects = pd.DataFrame({"objid": ids, "taxon_level1": taxa, "lineage_level1": "/living", "set": "train"})
    native = pd.DataFrame({"objid": ids, "area": 1.0, **dict.fromkeys(manifest.never_features, "text")})
    data = open_folder(None, write_dataset(tmp_path / "set", objects, native))

    assert data.name == name
    assert data.native is not None
    assert list(data.native.columns) == ["area"]
