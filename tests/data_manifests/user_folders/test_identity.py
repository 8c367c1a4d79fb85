"""Identity of folders: those with unknown taxa are data sets of their own, about which nothing is claimed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import planktonbench as pb
import pytest
from planktonbench.data_manifests.dataset import Dataset, open_folder
from planktonbench.data_manifests.manifest import load_manifest
from planktonbench.data_manifests.splits import SplitPlan, make_splits
from planktonbench.data_manifests.user_folders.identity import FOLDER_MANIFEST, folder_manifest, folder_name

if TYPE_CHECKING:
    from collections.abc import Callable

MINE = "name: pond\ntitle: Pond\ninstrument: x\nsource: y\ncitation: Me (2030)\nlicence: CC0\nbackground: dark\n"
CLAIMS = ("title", "instrument", "source", "citation", "licence", "doi", "url", "objects", "classes", "known_faults")


def stranger(meta: pd.DataFrame) -> pd.DataFrame:
    """Rename one taxon to one that the FlowCam manifest does not have."""
    return meta.replace({"level2": {"Copepoda": "Kraken"}})


@pytest.fixture
def lake(make_challenge: Callable[..., Path]) -> Path:
    """A folder in the layout of the FlowCam challenge with a taxon that its manifest does not have."""
    return make_challenge(stranger, name="My Lake")


def test_a_folder_with_unknown_taxa_is_a_data_set_of_its_own(lake: Path) -> None:
    """It is read like the data set asked for, with the same samples, but has none of its metadata."""
    data, flowcam = pb.load("flowcam", lake), load_manifest("flowcam")
    dumped = data.manifest.model_dump()

    assert (data.name, data.requested, data.reference) == ("my-lake", "flowcam", "")
    assert data.objects["sample"].nunique() == 5
    assert "Kraken" in data.classes
    assert [key for key in CLAIMS if dumped[key] and dumped[key] == flowcam.model_dump()[key]] == []
    assert "flowcam" not in str(dumped) + str(data.notes)


def test_a_folder_without_unknown_taxa_is_the_data_set(challenge: Path) -> None:
    """Some absent taxa are a note."""
    data = pb.load("flowcam", challenge)

    assert (data.name, data.requested) == ("flowcam", "")
    assert "Bouzaien" in data.reference


def test_any_folder_is_loaded_by_its_path(lake: Path) -> None:
    """As text or as a path."""
    assert pb.load(str(lake)).name == pb.load(lake).name == "my-lake"
    assert pb.load(lake).reference == ""


def test_a_manifest_in_the_folder_is_used(lake: Path) -> None:
    """It takes precedence over the named one, whatever the taxa, and changes no hash of the data."""
    before = open_folder(None, lake)
    (lake / FOLDER_MANIFEST).write_text(MINE)

    for data in (pb.load("flowcam", lake), pb.load(lake), open_folder(None, lake)):
        assert (data.name, data.reference, data.requested) == ("pond", "Me (2030) Licence: CC0.", "")
        assert data.manifest.background == "dark"
        assert data.data_sha256 == before.data_sha256


def test_a_manifest_in_a_folder_cannot_pretend_to_be_a_shipped_one(lake: Path) -> None:
    """The message names the file and the name."""
    (lake / FOLDER_MANIFEST).write_text(MINE.replace("pond", "ndsb"))

    with pytest.raises(pb.ManifestError, match=r"planktonbench\.yaml: name is 'ndsb', the name of a shipped manifest"):
        folder_manifest(lake)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/Lac 2", "lac-2"), ("a/___", "folder"), ("a/ndsb", "ndsb-folder"), ("a/Pond.tar.gz", "pond")],
)
def test_names_of_folders(path: str, expected: str) -> None:
    """They are valid in a results folder and differ from those of the shipped manifests."""
    assert folder_name(Path(path)) == expected


def named(lake: Path, name: str | None, citation: str | None) -> Dataset:
    """Return the folder opened as FlowCam data, with a name and a citation."""
    return pb.load("flowcam", lake).named(name, citation)


def test_name_and_citation_of_the_user(lake: Path) -> None:
    """Each can be given alone; the name of the manifest asked for states that it is that data set after all."""
    assert (named(lake, "pond", None).name, named(lake, "pond", None).reference) == ("pond", "")
    assert (named(lake, None, "Me").name, named(lake, None, "Me").reference) == ("my-lake", "Me")
    same = named(lake, "flowcam", None)
    assert (same.name, same.requested) == ("flowcam", "")
    assert "Bouzaien" in same.reference
    assert [note.code for note in same.notes if note.code == "other-taxa"] == ["other-taxa"]


def test_a_name_keeps_the_splits(lake: Path) -> None:
    """They are those of the data set asked for, whatever the folder is called."""
    tables = [make_splits(named(lake, name, None), SplitPlan(), 0)[0].table for name in (None, "pond", "flowcam")]

    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0])


def test_a_published_data_set_can_be_renamed_but_not_cited_otherwise(challenge: Path, lake: Path) -> None:
    """Under another name it is the user's data."""
    renamed = pb.load("flowcam", challenge).named("mine", "Me")

    assert (renamed.name, renamed.reference) == ("mine", "Me")
    with pytest.raises(pb.SuiteError, match="'flowcam' has a citation"):
        pb.load("flowcam", challenge).named(None, "Me")
    with pytest.raises(pb.SuiteError, match="name of a manifest of other data"):
        named(lake, "ndsb", None)
