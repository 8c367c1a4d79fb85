"""Data sets opened from files: objects, native table and images."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .cleaning.rules import clean
from .errors import DataError, ManifestError, did_you_mean
from .files.cache import cache_folder
from .files.tables import canonical_text, find_column
from .manifest import Manifest, load_manifest, manifest_names, manifest_of_folder
from .notes import Note
from .readers import layouts
from .seeds import sha256_file, sha256_text
from .simulation.marker import is_simulated

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import pandas as pd

    from .cleaning.raw_tables import RawTables
    from .images.store import ImageStore

DATA_VARIABLE = "PLANKTONBENCH_DATA"


@dataclass(frozen=True)
class Dataset:
    """Objects of one instrument with labels, native features and images.

    Attributes:
        manifest: description of the data set.
        folder: folder or archive of the files.
        objects: one row per object, sorted by object_id, with the text columns object_id, taxon, lineage, sample and
            set; the last three are missing where the files do not state them.
        native: handcrafted features, float64 of shape (n_objects, n_features), indexed by object_id in the order of
            objects, NaN where missing; None if the files contain no features.
        images: store of the images by object_id; None if the files contain no images.
        classes: scored taxa, sorted by name: those of the manifest if the objects have exactly these taxa, otherwise
            those of the objects.
        notes: faults of the data and how they were handled.
        data_sha256: hash of the files read.
        simulated: True if the objects are simulated.
        excluded: ids of objects left out by `without`, sorted.

    """

    manifest: Manifest
    folder: Path
    objects: pd.DataFrame
    native: pd.DataFrame | None
    images: ImageStore | None
    classes: tuple[str, ...]
    notes: tuple[Note, ...]
    data_sha256: str
    simulated: bool = False
    excluded: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the manifest."""
        return self.manifest.name

    @property
    def reference(self) -> str:
        """Citation and licence of the data; for simulated data, a note that there is nothing to cite."""
        manifest = self.manifest
        if self.simulated:
            return f"Simulated after: {manifest.title}. Images drawn by a program; nothing to cite."
        doi = f" doi:{manifest.doi}." if manifest.doi else ""
        return f"{manifest.citation}{doi} Licence: {manifest.licence}."

    def without(self, object_ids: Collection[str], notes: Iterable[Note]) -> Dataset:
        """Return the data set without some objects.

        Args:
            object_ids: ids of the objects to leave out.
            notes: notes to add about them.

        """
        remaining = ~self.objects["object_id"].isin(set(object_ids)).to_numpy()
        objects = self.objects[remaining].reset_index(drop=True)
        taxa = set(objects["taxon"])
        return replace(
            self,
            objects=objects,
            native=None if self.native is None else self.native[remaining],
            classes=tuple(taxon for taxon in self.classes if taxon in taxa),
            notes=(*self.notes, *notes),
            data_sha256=sha256_text(self.data_sha256, "without", *sorted(object_ids)),
            excluded=tuple(sorted({*self.excluded, *object_ids})),
        )

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.objects)


def find_folder(name: str, data_dir: str | Path | None = None) -> Path:
    """Find the folder of a data set: `data_dir`, else `$PLANKTONBENCH_DATA/<name>`, else the download cache.

    Raises:
        DataError: there is no such folder; the message lists the folders tried.

    """
    if data_dir is not None:
        return Path(data_dir).expanduser()
    found = local_folder(name)
    if found is not None:
        return found
    tried = " or ".join(str(folder) for folder in candidate_folders(name))
    message = (
        f"There are no files of '{name}' in {tried}. "
        f"Give their folder with --data DIR, or set {DATA_VARIABLE} to a folder that contains '{name}/'; "
        f"'planktonbench data show {name}' shows their source."
    )
    raise DataError(message)


def local_folder(name: str) -> Path | None:
    """Return the folder of a data set on this machine; None if there is none."""
    return next((folder for folder in candidate_folders(name) if folder.is_dir()), None)


def candidate_folders(name: str) -> list[Path]:
    """Return the folders in which a data set is searched; an empty environment variable counts as unset."""
    root = os.environ.get(DATA_VARIABLE)
    return [*([Path(root).expanduser() / name] if root else []), cache_folder() / "data" / name]


def load(name: str, data_dir: str | Path | None = None) -> Dataset:
    """Open a data set: read, clean and align its files.

    Args:
        name: name of a shipped manifest, such as `"flowcam"`, or path of a manifest file.
        data_dir: folder with the files; None uses `$PLANKTONBENCH_DATA/<name>`, else the download cache.

    Raises:
        ManifestError: the manifest does not exist or does not follow the schema.
        DataError: the files are missing, unreadable or contradict each other.

    Example:
        >>> data = load("flowcam", data_dir="…")  # doctest: +SKIP
        >>> data.objects.taxon.value_counts()  # doctest: +SKIP

    """
    manifest = load_manifest(name)
    return open_folder(manifest, find_folder(manifest.name, data_dir))


def open_folder(manifest: Manifest | None, folder: Path) -> Dataset:
    """Open a folder or archive of any supported layout.

    Args:
        manifest: description of the data; None uses the shipped manifest with exactly the folder's taxa or, if there
            is none, a minimal manifest named after the folder.
        folder: a folder, or a zip or tar file of class folders.

    Raises:
        DataError: the files are missing, unreadable or contradict each other.
        ManifestError: the manifest states a layout that has no reader.

    """
    if manifest is not None and manifest.layout not in {None, *layouts.READERS}:
        message = f"Manifest '{manifest.name}': layout is '{manifest.layout}'. "
        raise ManifestError(message + did_you_mean(str(manifest.layout), layouts.READERS))
    layout, location = layouts.locate(folder)
    reader = layouts.READERS[layout]
    raw = reader.read(location)
    manifest = manifest or _manifest_of(raw, folder)
    tables = clean(raw, manifest)
    classes, mismatch = _classes(manifest, sorted(tables.objects["taxon"].unique()))
    return Dataset(
        manifest=manifest,
        folder=folder,
        objects=tables.objects,
        native=tables.native,
        images=raw.images,
        classes=classes,
        notes=(*tables.notes, *mismatch, *_checksum_notes(manifest, location)),
        data_sha256=_data_sha256(reader.files(location), raw.images),
        simulated=is_simulated(location),
    )


def _manifest_of(raw: RawTables, folder: Path) -> Manifest:
    """Return the shipped manifest with exactly these taxa, else a minimal one named after the folder."""
    column = find_column(raw.objects, "taxon")
    taxa = set() if column is None else set(canonical_text(raw.objects[column]).dropna())
    shipped = (load_manifest(name) for name in manifest_names())
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return next(
        (manifest for manifest in shipped if manifest.classes and set(manifest.classes) == taxa),
        manifest_of_folder(name or "folder"),
    )


def _data_sha256(files: list[Path], images: ImageStore | None) -> str:
    hashes = [f"{path.name}:{sha256_file(path)}" for path in files]
    return sha256_text(*hashes, "" if images is None else images.sha256())


def _classes(manifest: Manifest, taxa: list[str]) -> tuple[tuple[str, ...], list[Note]]:
    """Return the class list, and a note if the taxa differ from those of the manifest."""
    if not manifest.classes or set(taxa) == set(manifest.classes):
        return tuple(taxa), []
    unknown = sorted(set(taxa) - set(manifest.classes))
    absent = sorted(set(manifest.classes) - set(taxa))
    own = f"scoring on the folder's own {len(taxa)} taxa"
    if unknown:
        text = (
            f"of this folder's {len(taxa)} taxa do not occur in manifest '{manifest.name}' "
            f"({len(absent)} of its {len(manifest.classes)} taxa are absent here); {own}"
        )
    else:
        text = f"of the {len(manifest.classes)} taxa of manifest '{manifest.name}' are absent here; {own}"
    return tuple(taxa), [Note("other-taxa", text, len(unknown or absent), tuple((unknown + absent)[:10]))]


def _checksum_notes(manifest: Manifest, folder: Path) -> list[Note]:
    wrong = [
        name
        for name, expected in sorted(manifest.checksums.items())
        if (folder / name).is_file() and sha256_file(folder / name) != expected
    ]
    text = f"files do not match their checksum in manifest '{manifest.name}'"
    return [Note("other-files", text, len(wrong), tuple(wrong))] if wrong else []
