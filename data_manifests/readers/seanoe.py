"""Reader of the layout of plankton sets on SEANOE: `taxa.csv.gz`, `features_native.csv.gz`, `imgs/<taxon>/<objid>.png`.

FlowCAMNet, ZooScanNet, ISIISNet, UVP6Net and ZooCAMNet have it. Tables may be compressed or not.

* `taxa` has `objid, taxon_level1, lineage_level1, taxon_level2, plankton, set, img_path`, older sets
  `objid, taxon, lineage, set`. The target is the taxon of level 1; level 2, the broad group, stands in the manifest.
* `set` is the published split; `val` and `valid` mean the same.
* Names hold spaces that look like none or like others: U+202F goes, as the authors' own evaluation does it, other
  no-break spaces become plain ones.
* Folders below `imgs` are called like taxa, with `__` for `<`; the table decides, and an image that lies in the folder
  of another taxon is told. `inventory.tsv`, `map.png` and `features_skimage.csv.gz` are not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..cleaning.raw_tables import RawTables
from ..errors import DataError
from ..files.tables import SPELLINGS, canonical_text, find_column, read_table
from ..images.store import images_beside
from ..notes import Note, note

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ..images.store import ImageStore

TAXA = "taxa.csv"
NATIVE = "features_native.csv"
PACKED = ".gz"
NARROW_SPACE = "\u202f"


def recognise(folder: Path) -> bool:
    """Tell whether a folder has this layout: its own table, or its compressed native table, so that taxa are missed."""
    return bool(_versions(folder, TAXA)) or (folder / f"{NATIVE}{PACKED}").is_file()


def files(folder: Path) -> list[Path]:
    """Return the tables of this layout that are there; with the images they are all that is read."""
    return [*_versions(folder, TAXA), *_versions(folder, NATIVE)]


def read(folder: Path) -> RawTables:
    """Read the tables and point at the images.

    Raises:
        DataError: `taxa.csv` is missing, a table is unreadable, or is there compressed and not.

    """
    taxa = _only(folder, TAXA) or folder / f"{TAXA}{PACKED}"
    native = _only(folder, NATIVE)
    objects, notes = _plain_names(read_table(taxa, DataError))
    images = images_beside(folder)
    return RawTables(
        objects=objects,
        objects_path=taxa,
        native=None if native is None else read_table(native, DataError, text=SPELLINGS["object_id"]),
        native_path=native,
        images=images,
        notes=(*notes, *_in_other_folders(objects, images)),
    )


def _versions(folder: Path, name: str) -> list[Path]:
    return [path for path in (folder / name, folder / f"{name}{PACKED}") if path.is_file()]


def _only(folder: Path, name: str) -> Path | None:
    found = _versions(folder, name)
    if len(found) > 1:
        message = f"{folder} has both {name} and {name}{PACKED}; expected one of them. Move the other away."
        raise DataError(message)
    return found[0] if found else None


def _plain_names(table: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    """Take odd spaces out of taxa and lineages; each different name is looked at once, not each row."""
    changed: list[str] = []
    for column in filter(None, (find_column(table, noun) for noun in ("taxon", "lineage"))):
        names = {name: plain_spaces(name) for name in table[column].dropna().unique()}
        odd = [plain for name, plain in names.items() if name != plain]
        if odd:
            changed += odd
            table = table.assign(**{column: table[column].map(names)})
    return table, note("odd-spaces", "names of taxa or lineages hold odd spaces: made plain", changed)


def plain_spaces(name: str) -> str:
    """Return a name without U+202F, and with one plain space for any other run of spaces.

    >>> plain_spaces("larvae\u202f_Annelida"), plain_spaces("Calocalanus\u00a0 pavo ")
    ('larvae_Annelida', 'Calocalanus pavo')
    """
    return " ".join(name.replace(NARROW_SPACE, "").split())


def _in_other_folders(objects: pd.DataFrame, images: ImageStore | None) -> list[Note]:
    """Name the images that lie in the folder of another taxon of the table than theirs."""
    taxon, ids = find_column(objects, "taxon"), find_column(objects, "object_id")
    if images is None or taxon is None or ids is None:
        return []
    names = objects[taxon]
    taxa = set(names.dropna())
    folders = {folder: plain_spaces(folder.replace("__", "<")) for folder in {_folder(name) for name in images.names}}
    known = {folder: plain for folder, plain in folders.items() if plain in taxa}
    lies_in = {key: known.get(_folder(name)) for key, name in images.members.items()}
    told = canonical_text(objects[ids]).map(lies_in)
    wrong = told.notna() & names.notna() & (told != names)
    text = "images lie in the folder of another taxon: the table decides"
    return note("other-folder", text, canonical_text(objects.loc[wrong, ids]))


def _folder(name: str) -> str:
    """Return the name of the folder that an image lies in."""
    return name.rpartition("/")[0].rpartition("/")[2]
