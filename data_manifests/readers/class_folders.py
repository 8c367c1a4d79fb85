"""Reader of class folders: `…/<class>/<image>` in a folder, zip or tar file, without tables.

* The class of an image is the name of its parent folder; folders above do not matter.
* Folders above the class folders, joined by `/`, become the column `folder`, which a manifest may use for `grouping`.
  If all of them are named like subsets of a split (`train`, `val`, `test`), they are the published split instead.
* The id of an object is the file name without suffix if these are unique, else `<class>/<name>`, else the whole path.
  The same rule is used for all objects.
* Images at the top level have no class and are left out; folders without images are not classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..cleaning.raw_tables import RawTables
from ..errors import DataError, listed
from ..files.listing import is_archive, is_hidden, is_image, walk
from ..images.store import WHOLE_PATH, ImageStore, open_images
from ..notes import note
from ..subsets import SET_NAMES
from .reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd

TABLES = {"taxa.csv", "meta.csv"}
MIN_CLASSES = 2  # a single folder of images need not be a class
ID_RULES = {
    1: "file names are unique: object_id is the name without suffix",
    2: "file names occur in several folders: object_id is <class>/<name>",
    WHOLE_PATH: "file names occur in several folders of one class: object_id is the whole path",
}
"""Rule for ids by the number of path components used."""


def recognise(path: Path) -> bool:
    """Return whether a path is an archive, a folder of class folders, or a folder with a single archive.

    Archives are not opened; `read` checks whether they contain class folders.
    """
    return _source(path) is not None


def files(path: Path) -> list[Path]:  # noqa: ARG001 - same signature for all layouts
    """Return an empty list, since this layout has no tables."""
    return []


def read(path: Path) -> RawTables:
    """List the images, with the class given by the parent folder.

    Raises:
        DataError: if the archive is unreadable, contains tables or fewer than two class folders, or two images have
            the same path.

    """
    source = _source(path) or path
    store = open_images(source)
    if source != path or not path.is_dir():
        _refuse_tables(store)
    repeated = store.choose_ids()
    notes = note("ids-of-path", ID_RULES[store.id_parts], repeated)
    objects = _objects(store)
    taxa = sorted(set(objects["taxon"]))
    if len(taxa) < MIN_CLASSES:
        message = (
            f"{source} has images in {len(taxa)} class folders ({listed(taxa) or 'none'}); "
            f"expected …/<class>/<image> with {MIN_CLASSES} classes or more."
        )
        raise DataError(message)
    notes += note("empty-folder", "folders without images: not used as classes", store.empty_folders)
    if source == path:
        notes += note("archive-beside", "archives are next to the class folders: not read", _archives(path))
    return RawTables(objects, source, None, None, store, tuple(notes))


def _source(path: Path) -> Path | None:
    """Return the folder or archive with the class folders: the path itself or its only archive; None if neither."""
    if not path.is_dir():
        return path if path.is_file() and is_archive(path) else None
    if _has_classes(walk(path)):
        return path
    archives = _archives(path)
    return path / archives[0] if len(archives) == 1 else None


def _archives(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if is_archive(path) and not is_hidden(path.name))


def _has_classes(names: Iterable[str]) -> bool:
    """Return whether there are images in two folders with different names; stops at the second."""
    classes = set()
    for name in names:
        if "/" in name and is_image(name) and not is_hidden(name):
            classes.add(name.split("/")[-2])
            if len(classes) == MIN_CLASSES:
                return True
    return False


def _refuse_tables(store: ImageStore) -> None:
    """Raise an error if an archive contains tables, since taxa and published split must be read from these."""
    tables = [name for name in store.other_files if name.rpartition("/")[2].removesuffix(".gz") in TABLES]
    if tables:
        message = f"{store.source} contains a data set with tables ({listed(tables)}). Unpack it and pass the folder."
        raise DataError(message)


def _objects(store: ImageStore) -> pd.DataFrame:
    """Return the columns object_id and taxon, and folder or set if there are folders above the class folders."""
    import pandas as pd

    rows = [(object_id, *_split_folders(name)) for object_id, name in store.members.items() if "/" in name]
    table = pd.DataFrame(rows, columns=["object_id", "folder", "taxon"], dtype="str")
    parents = table["folder"].unique()
    if len(parents) and all(name.lower() in SET_NAMES for name in parents):
        return table.rename(columns={"folder": "set"})
    return table if any(parents) else table.drop(columns="folder")


def _split_folders(name: str) -> tuple[str, str]:
    """Return the path above the class folder of an image, and the name of the class folder."""
    folders = name.rpartition("/")[0]
    parents, _, taxon = folders.rpartition("/")
    return parents, taxon


READER = Reader(
    name="class-folders",
    expected="…/<class>/<image> with at least two classes, or a single zip or tar file of these",
    recognise=recognise,
    files=files,
    read=read,
    in_subfolder=False,
)
