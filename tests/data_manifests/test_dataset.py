"""Tests of finding, opening and hashing data sets."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
from planktonbench.data_manifests.class_selection.selection import ClassSelection, SelectedClasses
from planktonbench.data_manifests.dataset import Dataset, find_folder, load, open_folder
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.files.cache import cache_folder
from planktonbench.data_manifests.manifest import load_manifest, manifest_of_folder
from planktonbench.data_manifests.seeds import sha256_file
from planktonbench.data_manifests.splits import SplitPlan, make_splits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TAXA = ["Bacteriastrum", "Copepoda", "Retaria", "detritus", "egg (other)"]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Create a data folder named pond in each location that is searched."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PLANKTONBENCH_DATA", str(tmp_path / "shelf"))
    found = {"shelf": tmp_path / "shelf" / "pond", "cache": cache_folder() / "data" / "pond"}
    for folder in found.values():
        folder.mkdir(parents=True)
    return found


def test_search_order_of_folders(folders: dict[str, Path], tmp_path: Path) -> None:
    """`data_dir` is used unchanged, then the folder of the environment variable, then the cache."""
    assert find_folder("pond", tmp_path / "given") == tmp_path / "given"
    assert find_folder("pond") == folders["shelf"]

    folders["shelf"].rmdir()

    assert find_folder("pond") == folders["cache"]


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_variable_means_unset(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, value: str | None, tmp_path: Path
) -> None:
    """An empty variable does not mean the working directory, even if it contains a folder with the name."""
    (tmp_path / "here" / "pond").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    if value is None:
        monkeypatch.delenv("PLANKTONBENCH_DATA")
    else:
        monkeypatch.setenv("PLANKTONBENCH_DATA", value)

    assert find_folder("pond") == folders["cache"]


def test_a_tilde_is_expanded(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde is the home folder, both in the variable and in `data_dir`."""
    home = folders["shelf"].parents[1]
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PLANKTONBENCH_DATA", "~/shelf")

    assert find_folder("pond") == folders["shelf"]
    assert find_folder("pond", "~/other") == home / "other"


def test_a_missing_folder_is_an_error(folders: dict[str, Path]) -> None:
    """The message names the data set, each location searched, and both ways to set the folder."""
    with pytest.raises(DataError) as caught:
        find_folder("lake")
    words = [str(folders["shelf"].with_name("lake")), str(folders["cache"].with_name("lake")), "--data DIR", "'lake'"]

    assert [word for word in [*words, "PLANKTONBENCH_DATA"] if word not in str(caught.value)] == []


def test_a_shipped_manifest_opens_a_folder(challenge: Path) -> None:
    """`pb.load` accepts the name of a shipped manifest; taxa that differ from it are noted and scored."""
    data = pb.load("flowcam", data_dir=challenge)
    text = [str(note) for note in data.notes if note.code == "other-taxa"]

    assert (data.name, len(data), list(data.classes), data.folder) == ("flowcam", 107, TAXA, challenge)
    assert "34 of the 39 taxa of manifest 'flowcam' are absent here; scoring on the folder's own 5 taxa" in text[0]
    assert "Annelida" in text[0]


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (TAXA, []),
        ([], []),
        (TAXA[1:], ["Bacteriastrum"]),
        ([*TAXA[1:], "Aaa"], ["Bacteriastrum", "Aaa"]),
        ([*TAXA, "Aaa"], ["Aaa"]),
    ],
)
def test_taxa_that_differ_from_the_manifest_are_noted(challenge: Path, classes: list[str], expected: list[str]) -> None:
    """Unknown and absent taxa are counted and listed, and the folder's taxa are scored; equal taxa need no note."""
    manifest = manifest_of_folder("made").model_copy(update={"classes": dict.fromkeys(classes)})
    data = open_folder(manifest, challenge)
    notes = [note for note in data.notes if note.code == "other-taxa"]

    assert list(data.classes) == TAXA
    assert [name for note in notes for name in note.examples] == expected
    assert sum(note.count for note in notes) == min(1, len(expected))


def test_a_wrong_checksum_is_noted(challenge: Path) -> None:
    """A file with a wrong checksum is listed; files with a correct checksum and missing files need no note."""
    correct = {"meta.csv": sha256_file(challenge / "meta.csv"), "none.csv": "0" * 64}
    manifest = manifest_of_folder("made").model_copy(update={"checksums": {**correct, "imgs.zip": "0" * 64}})
    notes = open_folder(manifest, challenge).notes

    assert [(note.code, note.count, note.examples) for note in notes] == [("other-files", 1, ("imgs.zip",))]
    assert notes[0].text == "files do not match their checksum in manifest 'made'"
    assert open_folder(manifest.model_copy(update={"checksums": correct}), challenge).notes == ()


@pytest.mark.parametrize(
    "column",
    [
        "unique_name",
        "objdate",
        "lineage",
        "object_lineage",
        "Object_Annotation_Category",
        "LEVEL2",
        " classif_id ",
        "x",
    ],
)
@pytest.mark.parametrize("numbers", [False, True])
def test_columns_that_leak_the_label_are_dropped(
    open_changed: Callable[..., Dataset], column: str, *, numbers: bool
) -> None:
    """The native table contains no ids, names, dates, lineages or labels, neither as text nor as numbers."""
    data = open_changed(native=lambda table: table.assign(**{column: range(len(table)) if numbers else "word"}))

    assert data.native is not None
    assert list(data.native.columns) == ["area", "filled_area", "mean", "noise", "constant"]


@pytest.mark.parametrize("column", ["mean", "object_mean", "MEAN"])
def test_never_features_are_dropped(open_changed: Callable[..., Dataset], column: str) -> None:
    """The native table contains none of the manifest's never_features, in any spelling, even if they are text."""
    manifest = manifest_of_folder("made").model_copy(update={"never_features": ("Mean",)})
    data = open_changed(manifest, native=lambda table: table.rename(columns={"mean": column}).replace({column: 1}, "a"))

    assert data.native is not None
    assert list(data.native.columns) == ["area", "filled_area", "noise", "constant"]


def test_order_of_rows_does_not_matter(make_challenge: Callable[..., Path]) -> None:
    """Shuffled files give the same objects, native table and splits."""
    manifest = load_manifest("flowcam")
    shuffles = {"meta": lambda table: table.sample(frac=1, random_state=1), "native": lambda table: table[::-1]}
    one = open_folder(manifest, make_challenge(name="one"))
    other = open_folder(manifest, make_challenge(**shuffles, name="other"))

    assert one.native is not None
    assert other.native is not None
    pd.testing.assert_frame_equal(one.objects, other.objects)
    pd.testing.assert_frame_equal(one.native, other.native)
    for plan in (SplitPlan(), SplitPlan(kind="kfold", grouped=True)):
        for split, same in zip(make_splits(one, plan, 0), make_splits(other, plan, 0), strict=True):
            pd.testing.assert_frame_equal(split.table, same.table)


def test_tables_have_the_documented_format(open_changed: Callable[..., Dataset]) -> None:
    """Objects are text, sorted by id; native values are float64 in the same order, even if integers in the file."""
    data = open_changed(native=lambda table: table.assign(area=range(len(table))))

    assert data.native is not None
    assert list(data.objects["object_id"]) == sorted(data.objects["object_id"])
    assert (data.native.index.name, list(data.native.index)) == ("object_id", list(data.objects["object_id"]))
    assert set(data.native.dtypes) == {np.dtype("float64")}
    assert set(data.objects.dtypes.astype(str)) == {"str"}


@pytest.mark.parametrize("change", ["none", "meta.csv", "features_native.csv", "pixels", "no images"])
def test_the_hash_depends_on_the_files_read(challenge: Path, change: str) -> None:
    """A changed table, a changed pixel and missing images change the hash; other files and the location do not."""
    before = open_folder(manifest_of_folder("made"), challenge).data_sha256
    (challenge / "notes.txt").write_text("not read")
    moved = challenge.rename(challenge.with_name("moved"))
    if change.endswith(".csv"):
        content = (moved / change).read_text()
        (moved / change).write_text(content[:-2] + ("1" if content[-2] != "1" else "2") + "\n")
    elif change == "no images":
        (moved / "imgs.zip").unlink()
    elif change == "pixels":
        with zipfile.ZipFile(moved / "imgs.zip") as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        first, second = list(members)[:2]
        with zipfile.ZipFile(moved / "imgs.zip", "w") as archive:
            for name, pixels in {**members, first: members[second]}.items():
                archive.writestr(name, pixels)
    after = open_folder(manifest_of_folder("made"), moved).data_sha256

    assert (before == after) == (change == "none")


@pytest.mark.real_data
def test_a_real_flowcam_run_can_be_opened(station40: Path) -> None:
    """A FlowCam run has matching tables and readable images; only its taxa differ from the manifest."""
    data = load("flowcam", station40)

    assert data.native is not None
    assert data.images is not None
    assert len(data) == len(pd.read_csv(station40 / "meta.csv", usecols=["objid"]))
    assert {note.code for note in data.notes} <= {"other-taxa"}
    assert data.images.read(data.objects["object_id"][0]).ndim == 2


def test_selected_classes_are_a_data_set_with_a_hash_of_its_own(challenge: Path) -> None:
    """Only their objects, classes and rows of the table remain; how they were selected does not change the hash."""
    whole = load("flowcam", challenge)
    named = whole.select(ClassSelection(classes=("detritus", "Copepoda", "egg (other)")))
    large = whole.select(ClassSelection(min_objects=12))
    fewer = whole.select(ClassSelection(classes=("detritus", "Copepoda")))

    assert named.classes == ("Copepoda", "detritus", "egg (other)")
    assert set(named.objects["taxon"]) == set(named.classes)
    assert named.native is not None
    assert whole.native is not None
    assert named.native.equals(whole.native.loc[named.objects["object_id"]])
    assert named.images is whole.images
    assert named.selected == SelectedClasses(named.classes, 5)
    assert large.selected == SelectedClasses(named.classes, 5, 12)
    assert named.data_sha256 == large.data_sha256
    assert len({whole.data_sha256, named.data_sha256, fewer.data_sha256}) == 3
    assert [(note.code, note.examples) for note in named.notes[len(whole.notes) :]] == [
        ("other-classes", ("Bacteriastrum", "Retaria"))
    ]


def test_selecting_all_classes_changes_nothing(challenge: Path) -> None:
    """The hash is that of the files, as without a selection."""
    whole = load("flowcam", challenge)

    assert whole.select(ClassSelection()) is whole
    assert whole.select(ClassSelection(classes=tuple(TAXA), min_objects=1)) == whole


def test_withheld_classes_stay_classes(challenge: Path) -> None:
    """Objects and hash are the same; a class without any object left is neither a class nor withheld."""
    whole = load("flowcam", challenge)
    found = whole.select(ClassSelection(withhold=("egg (other)", "Retaria")))
    retaria = whole.objects.loc[whole.objects["taxon"] == "Retaria", "object_id"]

    assert found.withheld == ("Retaria", "egg (other)")
    assert (found.classes, found.data_sha256) == (whole.classes, whole.data_sha256)
    assert found.objects.equals(whole.objects)
    assert found.notes[-1].code == "withheld-class"
    assert found.without(retaria, ()).withheld == ("egg (other)",)


def test_a_label_names_results_but_not_splits(challenge: Path) -> None:
    """So that an entry of a suite has the test objects of the data set that it is made of."""
    whole = load("flowcam", challenge)
    labelled = replace(whole, label="five")

    assert (labelled.name, labelled.split_name, labelled.manifest.name) == ("five", "flowcam", "flowcam")
    assert make_splits(labelled, SplitPlan(), 0)[0].table.equals(make_splits(whole, SplitPlan(), 0)[0].table)
