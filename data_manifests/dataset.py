"""Data sets opened from files: objects, native table and images."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .class_selection.selection import ClassSelection, SelectedClasses
from .cleaning.rules import clean
from .errors import DataError, ManifestError, SuiteError, did_you_mean
from .files.cache import cache_folder
from .files.listing import is_archive
from .files.tables import canonical_text, find_column
from .manifest import NOT_STATED, Manifest, load_manifest, manifest_names, manifest_of_folder
from .notes import Note, note
from .readers import layouts
from .seeds import sha256_file, sha256_text
from .simulation.marker import is_simulated
from .user_folders.identity import (
    folder_manifest,
    folder_name,
    has_unknown_taxa,
    manifest_without_claims,
    shipped_manifest_with,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from .cleaning.raw_tables import RawTables
    from .images.store import ImageStore

DATA_VARIABLE = "PLANKTONBENCH_DATA"
WITHHELD = "classes are withheld: their objects are in no subset but test"
NOT_SELECTED = "classes are not selected by the suite: their objects are not used"


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
        requested: name of the shipped manifest by which the folder was opened, if it contains other taxa and is
            therefore a data set of its own; else empty.
        label: name in a suite, if it is not that of the manifest; else empty.
        selected: classes to which the objects were restricted; None if all are used.
        withheld: classes that are tested but have no objects for training and validation, sorted.

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
    requested: str = ""
    label: str = ""
    selected: SelectedClasses | None = None
    withheld: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name in results: that in the suite, or else that of the manifest."""
        return self.label or self.manifest.name

    @property
    def split_name(self) -> str:
        """Name in the seeds of splits: that of the manifest asked for, so that naming a folder keeps its splits."""
        return self.requested or self.manifest.name

    @property
    def reference(self) -> str:
        """Citation and licence, as far as stated; for simulated data, a note that there is nothing to cite."""
        manifest = self.manifest
        if self.simulated:
            return f"Simulated after: {manifest.title}. Images drawn by a program; nothing to cite."
        texts = [
            manifest.citation if manifest.citation != NOT_STATED else "",
            f"doi:{manifest.doi}." if manifest.doi else "",
            f"Licence: {manifest.licence}." if manifest.licence != NOT_STATED else "",
        ]
        return " ".join(filter(None, texts))

    def named(self, name: str | None, citation: str | None) -> Dataset:
        """Return the data set with a name and a citation of the user; None leaves them unchanged.

        The name of the manifest by which the folder was opened states that it is that data set in spite of other taxa.

        Raises:
            SuiteError: the name belongs to another manifest, or the data set is a published one with a citation.

        """
        if name is not None and name == self.requested:
            same = load_manifest(name)
            notes = (*self.notes, *_classes(same, list(self.classes))[1])
            return replace(self, manifest=same, requested="", notes=notes).named(None, citation)
        if name in manifest_names() and name != self.name:
            message = f"--name is '{name}', the name of a manifest of other data; choose another name."
            raise SuiteError(message)
        manifest = self.manifest
        if name is not None and name != self.name:
            manifest = manifest_without_claims(manifest, name)
        if citation is not None:
            if manifest.name in manifest_names():
                message = f"--citation: '{manifest.name}' has a citation; use --name, too, if these are other data."
                raise SuiteError(message)
            manifest = manifest.model_copy(update={"citation": citation})
        return replace(self, manifest=manifest)

    def without(self, object_ids: Collection[str], notes: Iterable[Note]) -> Dataset:
        """Return the data set without some objects.

        Args:
            object_ids: ids of the objects to leave out.
            notes: notes to add about them.

        """
        remaining = self._restricted(~self.objects["object_id"].isin(set(object_ids)).to_numpy())
        return replace(
            remaining,
            withheld=tuple(taxon for taxon in self.withheld if taxon in remaining.classes),
            notes=(*self.notes, *notes),
            data_sha256=sha256_text(self.data_sha256, "without", *sorted(object_ids)),
            excluded=tuple(sorted({*self.excluded, *object_ids})),
        )

    def select(self, selection: ClassSelection) -> Dataset:
        """Return the data set with the classes that an entry of a suite selects and withholds.

        Raises:
            SuiteError: a name is not a class, a withheld class is not selected, or too few classes remain.

        """
        if selection == ClassSelection():
            return self
        counts = {str(taxon): int(n) for taxon, n in self.objects["taxon"].value_counts().items()}
        names = selection.chosen(counts, f"Data set '{self.name}' ({self.folder})")
        withheld = tuple(sorted(selection.withhold))
        notes = note("withheld-class", WITHHELD, withheld)
        chosen = self.of_classes(names, selection.min_objects)
        return replace(chosen, withheld=withheld, notes=(*chosen.notes, *notes))

    def of_classes(self, names: Collection[str], min_objects: int | None = None) -> Dataset:
        """Return the data set with the objects of some of its classes; it has another hash, unless these are all.

        Args:
            names: the classes.
            min_objects: the number of objects by which they were selected, for the description.

        """
        if set(names) == set(self.classes):
            return self
        remaining = self._restricted(self.objects["taxon"].isin(set(names)).to_numpy())
        selected = SelectedClasses(remaining.classes, len(self.classes), min_objects)
        return replace(
            remaining,
            selected=selected,
            notes=(*self.notes, *note("other-classes", NOT_SELECTED, sorted({*self.classes} - {*names}))),
            data_sha256=sha256_text(self.data_sha256, "classes", *selected.names),
        )

    def _restricted(self, rows: NDArray[np.bool_]) -> Dataset:
        """Return the data set with some of its objects, given as a mask of shape (n_objects,), and their classes."""
        objects = self.objects[rows].reset_index(drop=True)
        taxa = set(objects["taxon"])
        return replace(
            self,
            objects=objects,
            native=None if self.native is None else self.native[rows],
            classes=tuple(taxon for taxon in self.classes if taxon in taxa),
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


def load(name: str | Path, data_dir: str | Path | None = None) -> Dataset:
    """Open a data set: read, clean and align its files.

    Args:
        name: name of a shipped manifest, such as `"flowcam"`, or path of a manifest file, or of any folder or archive
            with a supported layout.
        data_dir: folder with the files; None uses `$PLANKTONBENCH_DATA/<name>`, else the download cache. A manifest in
            the folder (`planktonbench.yaml`) takes precedence over the named one.

    Raises:
        ManifestError: the manifest does not exist or does not follow the schema.
        DataError: the files are missing, unreadable or contradict each other.

    Example:
        >>> data = load("flowcam", data_dir="…")  # doctest: +SKIP
        >>> data.objects.taxon.value_counts()  # doctest: +SKIP

    """
    path = Path(name).expanduser()
    if data_dir is None and str(name) not in manifest_names() and (path.is_dir() or is_archive(path)):
        return open_folder(None, path)
    manifest = load_manifest(str(name))
    folder = find_folder(manifest.name, data_dir)
    return open_folder(folder_manifest(folder) or manifest, folder)


def open_folder(manifest: Manifest | None, folder: Path) -> Dataset:
    """Open a folder or archive of any supported layout.

    Args:
        manifest: description of the data. A shipped one is not used if the folder has other taxa: then the data set
            is named after the folder. None uses the manifest in the folder, else the shipped manifest with exactly
            the folder's taxa or, if there is none, a minimal manifest named after the folder.
        folder: a folder, or a zip or tar file of class folders.

    Raises:
        DataError: the files are missing, unreadable or contradict each other.
        ManifestError: the manifest states a layout that has no reader.

    """
    requested = manifest or folder_manifest(folder)
    if requested is not None and requested.layout not in {None, *layouts.READERS}:
        message = f"Manifest '{requested.name}': layout is '{requested.layout}'. "
        raise ManifestError(message + did_you_mean(str(requested.layout), layouts.READERS))
    layout, location = layouts.locate(folder)
    reader = layouts.READERS[layout]
    raw = reader.read(location)
    manifest = _manifest_for(requested, raw, folder)
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
        requested=requested.name if requested is not None and requested != manifest else "",
    )


def _manifest_for(requested: Manifest | None, raw: RawTables, folder: Path) -> Manifest:
    """Return the manifest of a folder, see `open_folder`."""
    column = find_column(raw.objects, "taxon")
    taxa = set() if column is None else set(canonical_text(raw.objects[column]).dropna())
    if requested is None:
        return shipped_manifest_with(taxa) or manifest_of_folder(folder_name(folder))
    return manifest_without_claims(requested, folder_name(folder)) if has_unknown_taxa(requested, taxa) else requested


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
