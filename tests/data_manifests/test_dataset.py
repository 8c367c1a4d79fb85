"""The dataset: found, opened, hashed, and the same whatever the order of rows."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
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
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Make a folder of data called pond in each place that is looked at."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PLANKTONBENCH_DATA", str(tmp_path / "shelf"))
    found = {"shelf": tmp_path / "shelf" / "pond", "cache": cache_folder() / "data" / "pond"}
    for place in found.values():
        place.mkdir(parents=True)
    return found


def test_the_folder_that_is_told_comes_first(places: dict[str, Path], tmp_path: Path) -> None:
    """`data_dir` is taken as it is, then the variable's folder, then the cache."""
    assert find_folder("pond", tmp_path / "told") == tmp_path / "told"
    assert find_folder("pond") == places["shelf"]

    places["shelf"].rmdir()

    assert find_folder("pond") == places["cache"]


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_variable_means_unset(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch, value: str | None, tmp_path: Path
) -> None:
    """An empty variable is not the working folder, even where that has a folder of the name."""
    (tmp_path / "here" / "pond").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    if value is None:
        monkeypatch.delenv("PLANKTONBENCH_DATA")
    else:
        monkeypatch.setenv("PLANKTONBENCH_DATA", value)

    assert find_folder("pond") == places["cache"]


def test_a_home_sign_is_understood(places: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde is the home folder, in the variable too."""
    home = places["shelf"].parents[1]
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PLANKTONBENCH_DATA", "~/shelf")

    assert find_folder("pond") == places["shelf"]
    assert find_folder("pond", "~/other") == home / "other"


def test_a_missing_folder_is_told_with_where_was_looked(places: dict[str, Path]) -> None:
    """The message names the data set, each place, and both ways to tell the folder."""
    with pytest.raises(DataError) as caught:
        find_folder("lake")
    words = [str(places["shelf"].with_name("lake")), str(places["cache"].with_name("lake")), "--data DIR", "'lake'"]

    assert [word for word in [*words, "PLANKTONBENCH_DATA"] if word not in str(caught.value)] == []


def test_a_shipped_manifest_opens_a_folder(challenge: Path) -> None:
    """The public face loads a shipped name; taxa that differ from the manifest's are noted, and are scored."""
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
def test_other_taxa_than_the_manifests_are_told(challenge: Path, classes: list[str], expected: list[str]) -> None:
    """The same taxa need no note; strange and absent ones are counted and named, and the folder's own are scored."""
    manifest = manifest_of_folder("made").model_copy(update={"classes": dict.fromkeys(classes)})
    data = open_folder(manifest, challenge)
    notes = [note for note in data.notes if note.code == "other-taxa"]

    assert list(data.classes) == TAXA
    assert [name for note in notes for name in note.examples] == expected
    assert sum(note.count for note in notes) == min(1, len(expected))


def test_a_file_with_another_checksum_is_told(challenge: Path) -> None:
    """A pinned file that is another is named; right ones, and pinned ones that are not there, need no note."""
    right = {"meta.csv": sha256_file(challenge / "meta.csv"), "none.csv": "0" * 64}
    manifest = manifest_of_folder("made").model_copy(update={"checksums": {**right, "imgs.zip": "0" * 64}})
    notes = open_folder(manifest, challenge).notes

    assert [(note.code, note.count, note.examples) for note in notes] == [("other-files", 1, ("imgs.zip",))]
    assert "checksum manifest 'made' pins" in notes[0].text
    assert open_folder(manifest.model_copy(update={"checksums": right}), challenge).notes == ()


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
def test_what_gives_the_label_away_is_never_learnt_from(
    open_changed: Callable[..., Dataset], column: str, *, numbers: bool
) -> None:
    """Ids, names, dates, lineages and labels do not reach the native table, be they text or numbers."""
    data = open_changed(native=lambda table: table.assign(**{column: range(len(table)) if numbers else "word"}))

    assert data.native is not None
    assert list(data.native.columns) == ["area", "filled_area", "mean", "noise", "constant"]


@pytest.mark.parametrize("column", ["mean", "object_mean", "MEAN"])
def test_what_the_manifest_forbids_is_never_learnt_from(open_changed: Callable[..., Dataset], column: str) -> None:
    """The manifest's never_features do not reach the native table, whatever the spelling, even when they are text."""
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


def test_tables_have_the_promised_shape(open_changed: Callable[..., Dataset]) -> None:
    """Objects are text, sorted by id; native values are float64 in the order of the objects, also from integers."""
    data = open_changed(native=lambda table: table.assign(area=range(len(table))))

    assert data.native is not None
    assert list(data.objects["object_id"]) == sorted(data.objects["object_id"])
    assert (data.native.index.name, list(data.native.index)) == ("object_id", list(data.objects["object_id"]))
    assert set(data.native.dtypes) == {np.dtype("float64")}
    assert set(data.objects.dtypes.astype(str)) == {"str"}


@pytest.mark.parametrize("change", ["none", "meta.csv", "features_native.csv", "pixels", "no images"])
def test_the_hash_of_the_data_follows_what_is_read(challenge: Path, change: str) -> None:
    """A changed table, a changed pixel and missing images change the hash; other files and the place do not."""
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
def test_a_real_run_opens(station40: Path) -> None:
    """A real FlowCam run has an image and finite values for each object, and its two tables match."""
    data = load("flowcam", station40)

    assert data.native is not None
    assert data.images is not None
    assert len(data) == len(pd.read_csv(station40 / "meta.csv", usecols=["objid"]))
    assert {note.code for note in data.notes} <= {"other-taxa"}
    assert data.images.read(data.objects["object_id"][0]).ndim == 2
