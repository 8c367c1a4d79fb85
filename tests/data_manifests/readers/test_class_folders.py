"""Class folders: a folder, a zip or a tar file of `…/<class>/<image>`, with what real ones have around them."""

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


def made(place: Path, kind: str, names: Iterable[str]) -> Path:
    """Write empty files (and folders, with a slash at the end) into a folder or archive and return its path."""
    files = place / "files"
    for name in names:
        if name.endswith("/"):
            (files / name).mkdir(parents=True, exist_ok=True)
        else:
            (files / name).parent.mkdir(parents=True, exist_ok=True)
            (files / name).touch()
    if kind == "folder":
        return files
    target = place / f"train.{kind.removesuffix(' inside')}"
    if kind == "tar":
        with tarfile.open(target, "w") as archive:
            archive.add(files, ".")
        return target
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(files.rglob("*")):
            archive.write(path, path.relative_to(files))
    return target if kind == "zip" else target.rename(_inside(place, target))


def _inside(place: Path, target: Path) -> Path:
    """Return a place for an archive in a folder of its own, beside what does not matter."""
    (place / "download").mkdir()
    (place / "download" / "._train.zip").touch()
    (place / "download" / "README.txt").touch()
    return place / "download" / target.name


def opened(path: Path, kind: str) -> Path:
    """Return what a user would give: the folder that holds the archive, where that is the kind."""
    return path.parent if kind == "zip inside" else path


@KINDS
def test_the_class_is_the_folder_of_the_image(tmp_path: Path, kind: str) -> None:
    """What is hidden or no image is passed over; names are ids; there is no native table."""
    names = ["train/a/1.png", "train/a/2.JPG", "train/b c/3.png", "train/d (e)/4.tif", *JUNK]
    path = opened(made(tmp_path, kind, names), kind)
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
def test_the_shortest_part_of_the_path_that_tells_all_apart_is_the_id(
    tmp_path: Path, kind: str, names: list[str], ids: dict[str, str], rule: str | None
) -> None:
    """The rule is the same for all objects of a set, and told when it is not the name of the file."""
    data = open_folder(manifest_of_folder("made"), opened(made(tmp_path, kind, names), kind))
    told = [entry for entry in data.notes if entry.code == "ids-of-path"]

    assert dict(zip(data.objects["object_id"], data.objects["taxon"], strict=True)) == ids
    assert data.images is not None
    assert set(data.images.members) == set(ids)
    assert (len(told), rule is None or rule in str(told[0])) == (int(rule is not None), True)
    assert not told or told[0].examples == ("1",)


def test_two_files_of_one_path_are_refused(tmp_path: Path) -> None:
    """Nobody could say which picture is meant."""
    with pytest.raises(DataError, match=r"two images have the same id: a/1\. Keep one of each\."):
        class_folders.read(made(tmp_path, "folder", ["a/1.png", "a/1.jpg", "b/1.png"]))


@KINDS
def test_empty_folders_and_images_without_a_class_are_told(tmp_path: Path, kind: str) -> None:
    """A folder without images is no class, an image at the top has none: both are counted, none is lost in silence."""
    names = ["a/1.png", "b/2.png", "top.png", "empty/", "texts/notes.txt", ".cache/"]
    notes = open_folder(manifest_of_folder("made"), opened(made(tmp_path, kind, names), kind)).notes

    assert {entry.code: entry.examples for entry in notes} == {
        "empty-folder": ("empty", "texts"),
        "image-without-object": ("top.png",),
    }


@KINDS
def test_folders_above_the_classes_can_be_samples(tmp_path: Path, kind: str) -> None:
    """Years above the classes, as WHOI-Plankton has them, are a column that a manifest may group by."""
    names = [f"{year}/{taxon}/{year}-{taxon}-{n}.png" for year in (2006, 2007) for taxon in "ab" for n in range(2)]
    path = opened(made(tmp_path, kind, names), kind)
    manifest = manifest_of_folder("made")
    grouped = open_folder(manifest.model_copy(update={"grouping": ("folder",)}), path).objects

    assert open_folder(manifest, path).objects["sample"].isna().all()
    assert (grouped["sample"] == grouped["object_id"].str.slice(0, 4)).all()


@KINDS
@pytest.mark.parametrize("valid", ["val", "valid", "Validation"])
def test_folders_called_like_parts_are_the_published_split(tmp_path: Path, kind: str, valid: str) -> None:
    """Train, val and test above the classes are taken as they are, whatever the spelling."""
    names = [
        f"{part}/{taxon}/{part}{taxon}{n}.png" for part in ("train", valid, "test") for taxon in "ab" for n in "12"
    ]
    data = open_folder(manifest_of_folder("made"), opened(made(tmp_path, kind, names), kind))
    split = make_splits(data, SplitPlan(kind="published"), seed=0)[0]

    assert {part: set(split.ids(part).str.rstrip("ab12")) for part in ("train", "valid", "test")} == {
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
        ("folder", ["test.zip", "train.zip"], r"or one zip or tar file of them\. Found: test\.zip, train\.zip\."),
        ("folder", ["data.tar.gz"], r"data\.tar\.gz is an archive from which single images cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, kind: str, names: list[str], message: str) -> None:
    """One folder of images is no set of classes, tables are not passed over, and of two archives none is guessed."""
    (tmp_path / "files").mkdir()
    with pytest.raises(DataError, match=message):
        open_folder(None, made(tmp_path, kind, names))


def test_an_archive_beside_its_own_folders_is_told(tmp_path: Path) -> None:
    """Folders are read before archives; that the archive is not read stands in a note."""
    notes = class_folders.read(made(tmp_path, "folder", ["train/a/1.png", "train/b/2.png", "train.zip"])).notes

    assert [(entry.code, entry.examples) for entry in notes] == [("archive-beside", ("train.zip",))]


@KINDS
def test_the_hash_follows_the_images(tmp_path: Path, kind: str) -> None:
    """Another file is another data set."""
    hashes = []
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        path = made(tmp_path / str(number), kind, ["a/1.png", f"b/{number + 2}.png"])
        hashes.append(open_folder(None, opened(path, kind)).data_sha256)

    assert len(set(hashes)) == 2


@pytest.mark.parametrize(("name", "expected"), [("Lac Léman 2", "lac-l-man-2"), ("___", "folder")])
def test_a_folder_of_unknown_taxa_is_read_under_its_own_name(tmp_path: Path, name: str, expected: str) -> None:
    """The name is made one that can stand in a results folder."""
    path = made(tmp_path, "folder", ["a/1.png", "b/2.png"]).rename(tmp_path / name)

    assert open_folder(None, path).name == expected


def real(*parts: str) -> Path:
    """Return a path among the real data; the test is skipped where it is missing."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the real data are not at {path}")
    return path


@pytest.mark.real_data
def test_the_kaggle_set_is_known_by_its_taxa() -> None:
    """30,336 images of 121 classes in one zip file, with the counts that the manifest has."""
    data = open_folder(None, real("kaggle-ndsb"))

    assert (data.name, len(data), data.notes) == ("ndsb", 30336, ())
    assert data.objects["taxon"].value_counts().to_dict() == load_manifest("ndsb").classes
    assert data.images is not None
    assert data.images.read(data.objects["object_id"][0]).dtype == np.uint8


@pytest.mark.real_data
def test_real_class_folders_open() -> None:
    """Three classes of a FlowCam, and as many pictures as the source says."""
    data = open_folder(None, real("flowcam-vickot", "classes"))

    assert (data.classes, len(data), data.notes) == (("Junk", "Missed", "Protist"), 3000, ())


@pytest.mark.real_data
def test_one_folder_of_images_is_no_set_of_classes() -> None:
    """The ZooScan export has its labels in tables of its own, which no layout knows: it is told, not misread."""
    with pytest.raises(DataError, match=r"zooscan-ecotaxa has no layout that can be read\."):
        open_folder(None, real("zooscan-ecotaxa"))
