"""Reader of class folders in a folder, zip or tar file, with further files as in real data sets."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.manifest import load_manifest, manifest_of_folder
from planktonbench.data_manifests.readers import class_folders
from planktonbench.data_manifests.readers.layouts import locate
from planktonbench.data_manifests.splits import SplitPlan, make_splits

if TYPE_CHECKING:
    from collections.abc import Iterable

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
KINDS = pytest.mark.parametrize("kind", ["folder", "zip", "tar", "zip inside"])
JUNK = ["__MACOSX/train/a/._1.png", "train/a/._1.png", "train/a/Thumbs.db", "train/.hidden/1.png", "train/readme.txt"]


def write_files(parent: Path, kind: str, names: Iterable[str]) -> Path:
    """Write empty files, and folders for names with a trailing slash, to a folder or archive and return its path."""
    files = parent / "files"
    for name in names:
        if name.endswith("/"):
            (files / name).mkdir(parents=True, exist_ok=True)
        else:
            (files / name).parent.mkdir(parents=True, exist_ok=True)
            (files / name).touch()
    if kind == "folder":
        return files
    target = parent / f"train.{kind.removesuffix(' inside')}"
    if kind == "tar":
        with tarfile.open(target, "w") as archive:
            archive.add(files, ".")
        return target
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(files.rglob("*")):
            archive.write(path, path.relative_to(files))
    return target if kind == "zip" else target.rename(_download_path(parent, target))


def _download_path(parent: Path, target: Path) -> Path:
    """Return a path for an archive in a new folder that also contains files to ignore."""
    (parent / "download").mkdir()
    (parent / "download" / "._train.zip").touch()
    (parent / "download" / "README.txt").touch()
    return parent / "download" / target.name


def user_path(path: Path, kind: str) -> Path:
    """Return the path given by a user: for `zip inside`, the folder of the archive."""
    return path.parent if kind == "zip inside" else path


@KINDS
def test_the_class_is_the_parent_folder(tmp_path: Path, kind: str) -> None:
    """Ids are file names, there is no native table, and hidden and other files are ignored."""
    names = ["train/a/1.png", "train/a/2.JPG", "train/b c/3.png", "train/d (e)/4.tif", *JUNK]
    path = user_path(write_files(tmp_path, kind, names), kind)
    data = open_folder(manifest_of_folder("made"), path)

    assert locate(path) == ("class-folders", path)
    assert dict(zip(data.objects["object_id"], data.objects["taxon"], strict=True)) == {
        "1": "a",
        "2": "a",
        "3": "b c",
        "4": "d (e)",
    }
    assert (data.native, data.notes, data.classes) == (None, (), ("a", "b c", "d (e)"))
    assert data.images is not None
    assert len(data.images) == 4


@KINDS
@pytest.mark.parametrize(
    ("names", "ids", "rule"),
    [
        (["a/1.png", "b/2.png"], {"1": "a", "2": "b"}, None),
        (["a/1.png", "b/1.png", "b/2.png"], {"a/1": "a", "b/1": "b", "b/2": "b"}, "object_id is <class>/<name>"),
        (["x/a/1.png", "y/a/1.png", "y/b/2.png"], {"x/a/1": "a", "y/a/1": "a", "y/b/2": "b"}, "the whole path"),
        (["a/1.png", "b/1.0.png"], {"a/1": "a", "b/1.0": "b"}, "object_id is <class>/<name>"),
    ],
)
def test_ids_are_the_shortest_unique_path(
    tmp_path: Path, kind: str, names: list[str], ids: dict[str, str], rule: str | None
) -> None:
    """The rule is the same for all objects, and is reported if ids are not file names."""
    data = open_folder(manifest_of_folder("made"), user_path(write_files(tmp_path, kind, names), kind))
    notes = [entry for entry in data.notes if entry.code == "ids-of-path"]

    assert dict(zip(data.objects["object_id"], data.objects["taxon"], strict=True)) == ids
    assert data.images is not None
    assert set(data.images.members) == set(ids)
    assert (len(notes), rule is None or rule in str(notes[0])) == (int(rule is not None), True)
    assert not notes or notes[0].examples == ("1",)


def test_two_images_with_the_same_id_are_an_error(tmp_path: Path) -> None:
    """Paths that differ only in their suffix are ambiguous."""
    with pytest.raises(DataError, match=r"two images have the same id: a/1\. Keep one of each\."):
        class_folders.read(write_files(tmp_path, "folder", ["a/1.png", "a/1.jpg", "b/1.png"]))


@KINDS
def test_empty_folders_and_images_without_class_are_reported(tmp_path: Path, kind: str) -> None:
    """Folders without images are not classes, and images at the top level have none."""
    names = ["a/1.png", "b/2.png", "top.png", "empty/", "texts/notes.txt", ".cache/"]
    notes = open_folder(manifest_of_folder("made"), user_path(write_files(tmp_path, kind, names), kind)).notes

    assert {entry.code: entry.examples for entry in notes} == {
        "empty-folder": ("empty", "texts"),
        "image-without-object": ("top.png",),
    }


@KINDS
def test_folders_above_the_classes_can_be_samples(tmp_path: Path, kind: str) -> None:
    """Folders of years, as in WHOI-Plankton, become a column that a manifest may use for grouping."""
    names = [f"{year}/{taxon}/{year}-{taxon}-{n}.png" for year in (2006, 2007) for taxon in "ab" for n in range(2)]
    path = user_path(write_files(tmp_path, kind, names), kind)
    manifest = manifest_of_folder("made")
    grouped = open_folder(manifest.model_copy(update={"grouping": ("folder",)}), path).objects

    assert open_folder(manifest, path).objects["sample"].isna().all()
    assert (grouped["sample"] == grouped["object_id"].str.slice(0, 4)).all()


@KINDS
@pytest.mark.parametrize("valid", ["val", "valid", "Validation"])
def test_folders_named_like_subsets_are_the_published_split(tmp_path: Path, kind: str, valid: str) -> None:
    """All spellings of train, valid and test above the classes are accepted."""
    names = [
        f"{subset}/{taxon}/{subset}{taxon}{n}.png"
        for subset in ("train", valid, "test")
        for taxon in "ab"
        for n in "12"
    ]
    data = open_folder(manifest_of_folder("made"), user_path(write_files(tmp_path, kind, names), kind))
    split = make_splits(data, SplitPlan(kind="published"), seed=0)[0]

    assert {subset: set(split.ids(subset).str.rstrip("ab12")) for subset in ("train", "valid", "test")} == {
        "train": {"train"},
        "valid": {valid},
        "test": {"test"},
    }


@pytest.mark.parametrize(
    ("kind", "names", "message"),
    [
        (
            "zip",
            ["images/1.png", "images/2.png"],
            r"train\.zip has images in 1 class folders \(images\); expected …/<cl",
        ),
        ("tar", ["1.png"], r"train\.tar has images in 0 class folders \(none\); expected …/<class>/<image> with 2"),
        ("zip", [], r"train\.zip has images in 0 class folders"),
        ("zip", ["x/taxa.csv.gz", "x/imgs/a/1.png", "x/imgs/b/2.png"], r"tables \(x/taxa\.csv\.gz\)\. Unpack it"),
        ("folder", ["images/1.png", "images/2.png"], r"files has no layout that can be read\..* Found: images\."),
        ("folder", ["test.zip", "train.zip"], r"or a single zip or tar file of these\. Found: test\.zip, train\.zip\."),
        ("folder", ["data.tar.gz"], r"data\.tar\.gz is an archive from which single images cannot be read"),
    ],
)
def test_unreadable_folders_and_archives_are_errors(tmp_path: Path, kind: str, names: list[str], message: str) -> None:
    """These are a single folder of images, archives with tables, several archives, and compressed tar files."""
    (tmp_path / "files").mkdir()
    with pytest.raises(DataError, match=message):
        open_folder(None, write_files(tmp_path, kind, names))


def test_an_archive_next_to_class_folders_is_reported(tmp_path: Path) -> None:
    """The folders are read, and the archive is not."""
    notes = class_folders.read(write_files(tmp_path, "folder", ["train/a/1.png", "train/b/2.png", "train.zip"])).notes

    assert [(entry.code, entry.examples) for entry in notes] == [("archive-beside", ("train.zip",))]


@KINDS
def test_the_hash_depends_on_the_images(tmp_path: Path, kind: str) -> None:
    """Data sets with different files have different hashes."""
    hashes = []
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        path = write_files(tmp_path / str(number), kind, ["a/1.png", f"b/{number + 2}.png"])
        hashes.append(open_folder(None, user_path(path, kind)).data_sha256)

    assert len(set(hashes)) == 2


@pytest.mark.parametrize(("name", "expected"), [("Lac Léman 2", "lac-l-man-2"), ("___", "folder")])
def test_a_folder_without_manifest_is_named_by_its_path(tmp_path: Path, name: str, expected: str) -> None:
    """The name is converted to one that is valid in a results folder."""
    path = write_files(tmp_path, "folder", ["a/1.png", "b/2.png"]).rename(tmp_path / name)

    assert open_folder(None, path).name == expected


def real(*segments: str) -> Path:
    """Return a path of real data, or skip the test if it does not exist."""
    path = DATA.joinpath(*segments)
    if not path.exists():
        pytest.skip(f"no real data at {path}")
    return path


@pytest.mark.real_data
def test_the_kaggle_data_set_is_recognised_by_its_taxa() -> None:
    """30,336 images of 121 classes in one zip file, with the counts in the manifest."""
    data = open_folder(None, real("kaggle-ndsb"))

    assert (data.name, len(data), data.notes) == ("ndsb", 30336, ())
    assert data.objects["taxon"].value_counts().to_dict() == load_manifest("ndsb").classes
    assert data.images is not None
    assert data.images.read(data.objects["object_id"][0]).dtype == np.uint8


@pytest.mark.real_data
def test_real_class_folders_open() -> None:
    """Three classes of a FlowCam data set, with the published number of images."""
    data = open_folder(None, real("flowcam-vickot", "classes"))

    assert (data.classes, len(data), data.notes) == (("Junk", "Missed", "Protist"), 3000, ())


@pytest.mark.real_data
def test_a_single_folder_of_images_is_an_error() -> None:
    """The ZooScan export has labels in tables of an unsupported layout and is not read as class folders."""
    with pytest.raises(DataError, match=r"zooscan-ecotaxa has no layout that can be read\."):
        open_folder(None, real("zooscan-ecotaxa"))
