"""Draft of a manifest for a user's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench import DataError, load
from planktonbench.data_manifests.user_folders.draft import draft_of, write_draft
from planktonbench.data_manifests.user_folders.identity import FOLDER_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_draft_is_a_manifest_of_the_folder(make_challenge: Callable[..., Path]) -> None:
    """It has the classes found and the columns of place and date; the folder can be opened with it as it is."""
    folder = make_challenge(name="My Lake")
    before = load(folder)
    path, manifest = write_draft(folder)
    data = load(folder)

    assert (path, manifest.name, manifest.grouping) == (folder / FOLDER_MANIFEST, "my-lake", ("objdate",))
    assert manifest.classes == before.objects["taxon"].value_counts().to_dict()
    assert data.manifest == manifest
    assert data.objects["sample"].nunique() == 5
    assert (data.reference, data.data_sha256) == ("", before.data_sha256)


def test_a_column_named_sample_is_preferred(make_challenge: Callable[..., Path]) -> None:
    """Columns that do not repeat are no samples; the label and ids are never offered."""
    folder = make_challenge(lambda meta: meta.assign(sample=meta["objid"] % 7, station=range(len(meta))))
    draft = draft_of(folder)

    assert draft.grouping == ["sample"]
    assert draft.other_columns == ["objdate", "unique_name"]


@pytest.mark.parametrize(("level", "background"), [(20, "dark"), (230, "light")])
def test_the_background_is_guessed_from_borders(tmp_path: Path, level: int, background: str) -> None:
    """The object in the middle does not matter; taxa in quotes and other scripts are preserved."""
    for number in range(6):
        picture = np.full((20, 20), level, np.uint8)
        picture[3:17, 3:17] = 255 - level
        folder = tmp_path / "set" / ("Cératium: 'x'" if number % 2 else "#egg")
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    _, manifest = write_draft(tmp_path / "set")

    assert manifest.background == background
    assert manifest.classes == {"Cératium: 'x'": 3, "#egg": 3}


def test_an_existing_manifest_is_kept(challenge: Path) -> None:
    """So is what has been filled in."""
    path, _ = write_draft(challenge)
    path.write_text("mine")

    with pytest.raises(DataError, match="already exists"):
        write_draft(challenge)
    assert path.read_text() == "mine"
    with pytest.raises(DataError, match="is not a folder"):
        write_draft(challenge / "meta.csv")
