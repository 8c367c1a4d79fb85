"""Identity of a folder: its own manifest, or one named after the folder that claims nothing about its origin.

A shipped manifest describes one published data set. A folder with a taxon that is not in the manifest is another data
set: it is read in the same way, but gets neither name, citation, licence nor taxonomy of the published one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import ManifestError
from ..files.listing import is_archive
from ..files.yaml_files import read_yaml
from ..manifest import Manifest, load_manifest, manifest_names, manifest_of_folder

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

FOLDER_MANIFEST = "planktonbench.yaml"
"""Name of the manifest in a user's folder."""

READING = ("background", "grouping", "never_features", "layout")
"""Properties of a shipped manifest that also apply to another folder that is read like its data set."""


def folder_manifest(folder: Path) -> Manifest | None:
    """Return the manifest that a folder contains (`FOLDER_MANIFEST`); None if there is none.

    Raises:
        ManifestError: it does not follow the schema, or has the name of a shipped manifest.

    """
    path = folder / FOLDER_MANIFEST
    if not folder.is_dir() or not path.is_file():
        return None
    manifest = read_yaml(path, Manifest, ManifestError)
    if manifest.name in manifest_names() and manifest != load_manifest(manifest.name):
        message = f"{path}: name is '{manifest.name}', the name of a shipped manifest; choose another name."
        raise ManifestError(message)
    return manifest


def folder_name(folder: Path) -> str:
    """Return the name of a data set in a folder or archive: that of the folder in lower case, with hyphens.

    It differs from the names of the shipped manifests.
    """
    name = folder.resolve().name.lower()
    stem = name.partition(".")[0] if is_archive(folder) else name
    words = re.sub(r"[^a-z0-9]+", "-", stem).strip("-") or "folder"
    return f"{words}-folder" if words in manifest_names() else words


def has_unknown_taxa(manifest: Manifest, taxa: Collection[str]) -> bool:
    """Return whether a folder with some taxa is another data set than that of a shipped manifest."""
    return _is_shipped(manifest) and not set(taxa) <= set(manifest.classes) and bool(manifest.classes)


def _is_shipped(manifest: Manifest) -> bool:
    return manifest.name in manifest_names() and manifest == load_manifest(manifest.name)


def manifest_without_claims(requested: Manifest, name: str) -> Manifest:
    """Return a manifest with another name that only has the properties of `requested` for reading files."""
    return manifest_of_folder(name).model_copy(update={key: getattr(requested, key) for key in READING})


def shipped_manifest_with(taxa: Collection[str]) -> Manifest | None:
    """Return the shipped manifest with exactly these taxa; None if there is none."""
    shipped = (load_manifest(name) for name in manifest_names())
    return next((one for one in shipped if one.classes and set(one.classes) == set(taxa)), None)
