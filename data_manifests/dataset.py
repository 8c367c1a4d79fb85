"""The dataset: an opened manifest, with objects, native table and images."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .cleaning.rules import clean
from .errors import DataError
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
    """Objects of one instrument with what is known of them.

    Attributes:
        manifest: where the data come from.
        folder: where the files lie.
        objects: one row per object, sorted by object_id: columns object_id, taxon, lineage, sample, set (text; the
            last three are missing where the files do not tell).
        native: handcrafted features, float64 of shape (n_objects, n_features), indexed by object_id in the order of
            objects, NaN where missing; None when the files have none.
        images: read by object_id; None when the files have none.
        classes: the taxa that are scored, sorted by name: the manifest's when the objects have exactly those, else the
            objects' own.
        notes: every fault that was found, and what was done.
        data_sha256: hash of the files that were read.
        simulated: whether the objects were drawn by a program, not photographed.

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

    @property
    def name(self) -> str:
        """Name of the manifest."""
        return self.manifest.name

    @property
    def reference(self) -> str:
        """How to cite the data and on what terms they may be used; of simulated data, that there is nothing to cite."""
        manifest = self.manifest
        if self.simulated:
            return f"Simulated in the manner of: {manifest.title}. Drawn by a program, no photographs, nothing to cite."
        doi = f" doi:{manifest.doi}." if manifest.doi else ""
        return f"{manifest.citation}{doi} Licence: {manifest.licence}."

    def without(self, object_ids: Collection[str], notes: Iterable[Note]) -> Dataset:
        """Return the data set without some objects.

        Args:
            object_ids: of those that are left out.
            notes: what is told of it.

        """
        stays = ~self.objects["object_id"].isin(set(object_ids)).to_numpy()
        objects = self.objects[stays].reset_index(drop=True)
        taxa = set(objects["taxon"])
        return replace(
            self,
            objects=objects,
            native=None if self.native is None else self.native[stays],
            classes=tuple(taxon for taxon in self.classes if taxon in taxa),
            notes=(*self.notes, *notes),
            data_sha256=sha256_text(self.data_sha256, "without", *sorted(object_ids)),
        )

    def __len__(self) -> int:
        """Count the objects."""
        return len(self.objects)


def find_folder(name: str, data_dir: str | Path | None = None) -> Path:
    """Find the folder of a data set: `data_dir`, else `$PLANKTONBENCH_DATA/<name>`, else the download cache.

    Raises:
        DataError: there is none; the message lists where was looked.

    """
    if data_dir is not None:
        return Path(data_dir).expanduser()
    found = own_folder(name)
    if found is not None:
        return found
    looked = " and ".join(str(place) for place in _places(name))
    message = (
        f"There are no files of '{name}': looked in {looked}. "
        f"Give their folder with --data DIR, or set {DATA_VARIABLE} to a folder that contains '{name}/'; "
        f"'planktonbench data show {name}' shows where they come from."
    )
    raise DataError(message)


def own_folder(name: str) -> Path | None:
    """Return the folder of a data set's files on this machine, None when there is none."""
    return next((place for place in _places(name) if place.is_dir()), None)


def _places(name: str) -> list[Path]:
    """List where the files of a data set are looked for; an empty variable is one that is not set."""
    root = os.environ.get(DATA_VARIABLE)
    return [*([Path(root).expanduser() / name] if root else []), cache_folder() / "data" / name]


def load(name: str, data_dir: str | Path | None = None) -> Dataset:
    """Open a data set: read, clean and align its files.

    Args:
        name: a shipped manifest's name, such as `"flowcam"`, or the path of a manifest file.
        data_dir: folder with the files; None looks in `$PLANKTONBENCH_DATA/<name>`, then in the download cache.

    Raises:
        ManifestError: there is no such manifest, or it breaks the schema.
        DataError: the files are missing, unreadable or contradict each other.

    Example:
        >>> data = load("flowcam", data_dir="…")  # doctest: +SKIP
        >>> data.objects.taxon.value_counts()  # doctest: +SKIP

    """
    manifest = load_manifest(name)
    return open_folder(manifest, find_folder(manifest.name, data_dir))


def open_folder(manifest: Manifest | None, folder: Path) -> Dataset:
    """Open the files of a folder or archive; its layout is recognised.

    Args:
        manifest: what is known of the data; None takes the shipped manifest that has exactly the folder's taxa, and
            reads the folder as itself, under its own name, when there is none.
        folder: the folder, or a zip or tar file of class folders.

    Raises:
        DataError: the files are missing, unreadable or contradict each other.

    """
    layout, place = layouts.locate(folder)
    reader = layouts.READERS[layout]
    raw = reader.read(place)
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
        notes=(*tables.notes, *mismatch, *_checksum_notes(manifest, place)),
        data_sha256=_data_sha256(reader.files(place), raw.images),
        simulated=is_simulated(place),
    )


def _manifest_of(raw: RawTables, folder: Path) -> Manifest:
    """Return the shipped manifest that has exactly these taxa, else one of the folder's own name."""
    column = find_column(raw.objects, "taxon")
    taxa = set() if column is None else set(canonical_text(raw.objects[column]).dropna())
    shipped = (load_manifest(name) for name in manifest_names())
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return next(
        (one for one in shipped if one.classes and set(one.classes) == taxa), manifest_of_folder(name or "folder")
    )


def _data_sha256(files: list[Path], images: ImageStore | None) -> str:
    parts = [f"{path.name}:{sha256_file(path)}" for path in files]
    return sha256_text(*parts, "" if images is None else images.sha256())


def _classes(manifest: Manifest, taxa: list[str]) -> tuple[tuple[str, ...], list[Note]]:
    """Return the class list and, when the taxa differ from those of the manifest, a note."""
    if not manifest.classes or set(taxa) == set(manifest.classes):
        return tuple(taxa), []
    strange = sorted(set(taxa) - set(manifest.classes))
    absent = sorted(set(manifest.classes) - set(taxa))
    own = f"scoring on the folder's own {len(taxa)} taxa"
    if strange:
        text = (
            f"of this folder's {len(taxa)} taxa do not occur in manifest '{manifest.name}' "
            f"({len(absent)} of its {len(manifest.classes)} taxa are absent here); {own}"
        )
    else:
        text = f"of the {len(manifest.classes)} taxa of manifest '{manifest.name}' are absent here; {own}"
    return tuple(taxa), [Note("other-taxa", text, len(strange or absent), tuple((strange + absent)[:10]))]


def _checksum_notes(manifest: Manifest, folder: Path) -> list[Note]:
    wrong = [
        name
        for name, expected in sorted(manifest.checksums.items())
        if (folder / name).is_file() and sha256_file(folder / name) != expected
    ]
    text = f"files are not those whose checksum manifest '{manifest.name}' pins"
    return [Note("other-files", text, len(wrong), tuple(wrong))] if wrong else []
