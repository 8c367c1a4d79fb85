"""Draft of a manifest for a user's own folder, with the classes found and guesses, to be filled in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..cleaning.rules import clean
from ..errors import DataError, listed
from ..files.atomic_writes import atomic_write
from ..files.tables import SPELLINGS
from ..manifest import NOT_STATED, manifest_of_folder
from ..readers import layouts
from .identity import FOLDER_MANIFEST, folder_manifest, folder_name

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ..images.store import ImageStore
    from ..manifest import Background, Manifest

SAMPLE_COLUMNS = ("sample", "sample_id", "sampleid", "station", "haul", "tow", "bottle", "folder")
"""Columns that identify a sample on their own, by priority."""

PLACE_AND_DATE = ("projid", "cruise", "latitude", "longitude", "depth_min", "objdate", "date")
"""Columns that identify a sample together, as in exports of EcoTaxa."""

IMAGES_VIEWED = 40
MIDDLE_GREY = 128
TEMPLATE = """# Manifest of the data set in this folder. planktonbench reads it whenever the folder is opened;
# cards, reports and methods texts cite what it states. Replace each "{unknown}" by what is known.
# Lines may also be left as they are. Finished runs are repeated if this file changes: fill it in before long runs.
name: {name}   # name in results; lower-case letters, digits, '.', '-' and '_'
title: {title}
instrument: {unknown}   # such as FlowCam, ZooScan, IFCB
source: {unknown}   # where, when and by whom the samples were taken
citation: {unknown}   # how the data set should be cited
licence: {unknown}   # such as CC BY 4.0
background: {background}   # light or dark, guessed from the borders of some images
# doi: 10.1234/example
# pixel_size_um: 1.0   # side of a pixel in micrometres
# scale_bar: 0   # rows to cut off at the bottom of each image

# Columns whose values together identify a sample: objects that were collected together. Intervals and grouped
# splits depend on them; without samples, objects count as independent and intervals are too narrow.{others}
grouping: [{grouping}]   # guessed from the names of the columns

# Columns of the native table that are not features, besides the usual ids, dates and positions.
never_features: []

# Taxa and their number of objects when this file was written.
classes:
{classes}
"""


class Draft(NamedTuple):
    """What is known about a folder from its files.

    Attributes:
        name: name of the data set, from that of the folder.
        background: background of most of the images viewed.
        grouping: columns that probably identify a sample; empty if there are none.
        other_columns: further columns with repeated values, which may identify a sample.
        classes: number of objects of each taxon, the largest first.

    """

    name: str
    background: Background
    grouping: list[str]
    other_columns: list[str]
    classes: dict[str, int]


def write_draft(folder: Path) -> tuple[Path, Manifest]:
    """Write the draft of a manifest into a folder.

    Returns:
        The path of the file, and the manifest.

    Raises:
        DataError: the folder already contains a manifest, cannot be written, or its files cannot be read.

    """
    path = folder / FOLDER_MANIFEST
    if not folder.is_dir():
        message = f"{folder} is not a folder; expected the folder of a data set."
        raise DataError(message)
    if path.exists():
        message = f"{path} already exists; edit it, or move it away to start again."
        raise DataError(message)
    text = draft_text(draft_of(folder))
    try:
        atomic_write(path, lambda new: new.write_text(text, encoding="utf-8"))
    except OSError as fault:
        message = f"{path} cannot be written: {fault}. Choose a folder in which you may write."
        raise DataError(message) from fault
    manifest = folder_manifest(folder)
    if manifest is None:
        message = f"{path} disappeared after it was written; run the command again."
        raise DataError(message)
    return path, manifest


def draft_of(folder: Path) -> Draft:
    """Return what is known about a folder from its files.

    Raises:
        DataError: its files cannot be read.

    """
    layout, location = layouts.locate(folder)
    raw = layouts.READERS[layout].read(location)
    name = folder_name(folder)
    counts = clean(raw, manifest_of_folder(name)).objects["taxon"].value_counts()
    repeated = _repeated_columns(raw.objects)
    grouping = [column for column in SAMPLE_COLUMNS if column in repeated][:1]
    grouping = grouping or [column for column in PLACE_AND_DATE if column in repeated]
    return Draft(
        name=name,
        background="light" if raw.images is None else background_of(raw.images),
        grouping=grouping,
        other_columns=[column for column in repeated if column not in grouping],
        classes={str(taxon): int(count) for taxon, count in counts.items()},
    )


def _repeated_columns(objects: pd.DataFrame) -> list[str]:
    """Return the columns with at least two values, of which each occurs twice on average, except labels."""
    labels = {name for spellings in SPELLINGS.values() for name in spellings}
    return [
        str(column)
        for column in objects.columns
        if column not in labels and 2 <= objects[column].nunique() <= len(objects) / 2  # noqa: PLR2004 - two samples
    ]


def background_of(images: ImageStore) -> Background:
    """Return the background of most of some images, by the median grey level of their borders; unreadable: light."""
    votes = []
    names = sorted(images.members)
    for name in names[:: max(1, len(names) // IMAGES_VIEWED)][:IMAGES_VIEWED]:
        try:
            grey = images.read(name)
        except DataError:
            continue
        border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        votes.append(float(np.median(border)) >= MIDDLE_GREY)
    return "light" if not votes or np.mean(votes) >= 0.5 else "dark"  # noqa: PLR2004 - the majority


def draft_text(draft: Draft) -> str:
    """Return a draft as YAML with comments; it follows the schema of a manifest as it is."""
    others = (
        f"\n# Other columns with repeated values: {listed(draft.other_columns, 20)}." if draft.other_columns else ""
    )
    return TEMPLATE.format(
        unknown=NOT_STATED,
        name=_quoted(draft.name),
        title=_quoted(f"Folder {draft.name}"),
        background=draft.background,
        grouping=", ".join(map(_quoted, draft.grouping)),
        others=others,
        classes="\n".join(f"  {_quoted(taxon)}: {count}" for taxon, count in draft.classes.items()),
    )


def _quoted(text: str) -> str:
    """Return a text as a quoted YAML scalar; a JSON string is one."""
    return json.dumps(text, ensure_ascii=False)
