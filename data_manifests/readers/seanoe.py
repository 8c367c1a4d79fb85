"""Reader of the SEANOE layout: `taxa.csv.gz`, `features_native.csv.gz`, `imgs/<taxon>/<objid>.png`.

This is the layout of FlowCAMNet, ZooScanNet, ISIISNet, UVP6Net and ZooCAMNet. Compression of the tables is optional.

* `taxa` has the columns `objid, taxon_level1, lineage_level1, taxon_level2, plankton, set, img_path`; in older data
  sets, `objid, taxon, lineage, set`. The target is the taxon of level 1. The manifest defines level 2 (broad groups).
* `set` is the published split; `val` and `valid` are synonyms.
* Names may contain unusual spaces: U+202F is removed, as in the evaluation code of the authors; other no-break spaces
  are replaced by plain ones.
* Subfolders of `imgs` are named by taxon, with `__` for `<`. The taxon is read from the table; images in the folder of
  another taxon are reported. `inventory.tsv`, `map.png` and `features_skimage.csv.gz` are not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..cleaning.raw_tables import RawTables
from ..errors import DataError
from ..files.tables import SPELLINGS, canonical_text, find_column, read_table
from ..images.store import images_beside
from ..notes import Note, note
from .reader import IMAGE_SOURCES, Reader

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ..images.store import ImageStore

TAXA = "taxa.csv"
NATIVE = "features_native.csv"
GZIP = ".gz"
NARROW_SPACE = "\u202f"


def recognise(folder: Path) -> bool:
    """Return whether a folder has a table of taxa or a compressed native table; `read` reports missing taxa."""
    return bool(_versions(folder, TAXA)) or (folder / f"{NATIVE}{GZIP}").is_file()


def files(folder: Path) -> list[Path]:
    """Return the existing tables of this layout. Apart from images, no other files are read."""
    return [*_versions(folder, TAXA), *_versions(folder, NATIVE)]


def read(folder: Path) -> RawTables:
    """Read the tables and locate the images.

    Raises:
        DataError: if `taxa.csv` is missing, or a table is unreadable or exists both compressed and uncompressed.

    """
    taxa = _find_table(folder, TAXA) or folder / f"{TAXA}{GZIP}"
    native = _find_table(folder, NATIVE)
    objects, notes = _normalise_names(read_table(taxa, DataError))
    images = images_beside(folder)
    return RawTables(
        objects=objects,
        objects_path=taxa,
        native=None if native is None else read_table(native, DataError, text=SPELLINGS["object_id"]),
        native_path=native,
        images=images,
        notes=(*notes, *_misplaced_images(objects, images)),
    )


def _versions(folder: Path, name: str) -> list[Path]:
    return [path for path in (folder / name, folder / f"{name}{GZIP}") if path.is_file()]


def _find_table(folder: Path, name: str) -> Path | None:
    found = _versions(folder, name)
    if len(found) > 1:
        message = f"{folder} has both {name} and {name}{GZIP}; expected one of them. Move the other away."
        raise DataError(message)
    return found[0] if found else None


def _normalise_names(table: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    """Normalise spaces in taxa and lineages; each unique name is processed once."""
    changed: list[str] = []
    for column in filter(None, (find_column(table, noun) for noun in ("taxon", "lineage"))):
        names = {name: plain_spaces(name) for name in table[column].dropna().unique()}
        differing = [plain for name, plain in names.items() if name != plain]
        if differing:
            changed += differing
            table = table.assign(**{column: table[column].map(names)})
    return table, note("odd-spaces", "names of taxa or lineages contain unusual spaces: normalised", changed)


def plain_spaces(name: str) -> str:
    """Return a name without U+202F, and with other runs of whitespace replaced by one space.

    >>> plain_spaces("larvae\u202f_Annelida"), plain_spaces("Calocalanus\u00a0 pavo ")
    ('larvae_Annelida', 'Calocalanus pavo')
    """
    return " ".join(name.replace(NARROW_SPACE, "").split())


def _misplaced_images(objects: pd.DataFrame, images: ImageStore | None) -> list[Note]:
    """Return a note on images in the folder of a taxon that differs from their taxon in the table."""
    taxon, ids = find_column(objects, "taxon"), find_column(objects, "object_id")
    if images is None or taxon is None or ids is None:
        return []
    names = objects[taxon]
    taxa = set(names.dropna())
    folders = {folder: plain_spaces(folder.replace("__", "<")) for folder in {_folder(name) for name in images.names}}
    known = {folder: plain for folder, plain in folders.items() if plain in taxa}
    folder_taxa = {key: known.get(_folder(name)) for key, name in images.members.items()}
    found = canonical_text(objects[ids]).map(folder_taxa)
    wrong = found.notna() & names.notna() & (found != names)
    text = "images are in the folder of another taxon: the taxon of the table is used"
    return note("other-folder", text, canonical_text(objects.loc[wrong, ids]))


def _folder(name: str) -> str:
    """Return the name of the parent folder of an image."""
    return name.rpartition("/")[0].rpartition("/")[2]


READER = Reader(
    name="seanoe",
    expected=f"{TAXA} and {NATIVE}, optionally {GZIP} ({IMAGE_SOURCES})",
    recognise=recognise,
    files=files,
    read=read,
)
