"""Reader of class folders: `…/<class>/<image>` in a folder, a zip or a tar file; no tables.

* The class of an image is the name of the folder that it lies in, whatever lies above.
* Folders above the class folders, joined by `/`, become the column `folder`; a manifest may name it under `grouping`.
  When all of them are called like parts of a split (`train`, `val`, `test`), they are the published split instead.
* The id of an object is the name of its file without suffix when all of those differ, else `<class>/<name>` for all of
  them, else the whole path.
* Images at the top have no class and are left out; folders without images are no classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..cleaning.raw_tables import RawTables
from ..errors import DataError, listed
from ..files.listing import is_archive, is_hidden, is_image, walk
from ..images.store import WHOLE_PATH, ImageStore, open_images
from ..notes import note
from ..subsets import SET_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd

TABLES = {"taxa.csv", "meta.csv"}
FEWEST_CLASSES = 2  # a single folder of images may be anything
ID_RULES = {
    1: "file names, all different: object_id is the name without suffix",
    2: "file names occur in several folders: object_id is <class>/<name>",
    WHOLE_PATH: "file names occur in several folders of one class: object_id is the whole path",
}
"""What makes an id, by the number of path parts that it takes."""


def recognise(path: Path) -> bool:
    """Tell whether a path is an archive, or a folder of class folders, or a folder that holds one archive.

    An archive is not opened for this; that its images lie in class folders is checked when it is read.
    """
    return _source(path) is not None


def files(path: Path) -> list[Path]:  # noqa: ARG001 - the tables of any layout are asked for in the same way
    """Return the tables of this layout: there are none."""
    return []


def read(path: Path) -> RawTables:
    """List the images and take their classes from their folders.

    Raises:
        DataError: the archive is unreadable, has tables or fewer than two class folders, or two images have one path.

    """
    source = _source(path) or path
    store = open_images(source)
    if source != path or not path.is_dir():
        _refuse_tables(store)
    repeated = store.choose_ids()
    notes = note("ids-of-path", ID_RULES[store.id_parts], repeated)
    objects = _objects(store)
    taxa = sorted(set(objects["taxon"]))
    if len(taxa) < FEWEST_CLASSES:
        message = (
            f"{source} has images in {len(taxa)} class folders ({listed(taxa) or 'none'}); "
            f"expected …/<class>/<image> with {FEWEST_CLASSES} classes or more."
        )
        raise DataError(message)
    notes += note("empty-folder", "folders hold no image: no classes", store.empty_folders)
    if source == path:
        notes += note("archive-beside", "archives lie beside the class folders: not read", _archives(path))
    return RawTables(objects, source, None, None, store, tuple(notes))


def _source(path: Path) -> Path | None:
    """Return what holds the class folders of a path: itself, or the only archive in it; None when nothing does."""
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
    """Tell whether images lie in two folders of different names; stops at the second."""
    classes = set()
    for name in names:
        if "/" in name and is_image(name) and not is_hidden(name):
            classes.add(name.split("/")[-2])
            if len(classes) == FEWEST_CLASSES:
                return True
    return False


def _refuse_tables(store: ImageStore) -> None:
    """Refuse an archive that has tables of objects: taxa and published split stand there, not in folder names."""
    tables = [name for name in store.other_files if name.rpartition("/")[2].removesuffix(".gz") in TABLES]
    if tables:
        message = f"{store.source} holds a data set with tables ({listed(tables)}). Unpack it and give the folder."
        raise DataError(message)


def _objects(store: ImageStore) -> pd.DataFrame:
    """Return the columns object_id and taxon, and folder or set where there are folders above the class folders."""
    import pandas as pd

    rows = [(object_id, *_places(name)) for object_id, name in store.members.items() if "/" in name]
    table = pd.DataFrame(rows, columns=["object_id", "folder", "taxon"], dtype="str")
    above = table["folder"].unique()
    if len(above) and all(name.lower() in SET_NAMES for name in above):
        return table.rename(columns={"folder": "set"})
    return table if any(above) else table.drop(columns="folder")


def _places(name: str) -> tuple[str, str]:
    """Return the folders above the class folder of an image, and the class folder."""
    folders = name.rpartition("/")[0]
    above, _, taxon = folders.rpartition("/")
    return above, taxon
