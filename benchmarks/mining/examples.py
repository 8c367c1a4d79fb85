"""Examples of novel classes, as given in a CSV file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...data_manifests.errors import DataError, listed
from ...data_manifests.files.tables import canonical_text, lines_of, read_table, require_column
from ...data_manifests.images.decoding import BLACK, WHITE, grey_levels, quiet_decoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ...data_manifests.manifest import Background

IMAGE, TAXON = "image", "taxon"


@dataclass(frozen=True)
class Example:
    """One example of a novel class.

    Attributes:
        path: file of the image.
        taxon: name of the class.

    """

    path: Path
    taxon: str

    def pixels(self, background: Background | None) -> NDArray[np.uint8] | None:
        """Read the image as grey levels, uint8 of shape (height, width); None if it cannot be decoded.

        Args:
            background: background of the images, behind transparent pixels.

        """
        return grey_levels(self.path.read_bytes(), behind=BLACK if background == "dark" else WHITE)


def read_examples(path: Path) -> list[Example]:
    """Read the examples of one or more novel classes.

    Args:
        path: CSV file with the columns `image`, a path that is relative to the folder of the file, and `taxon`.

    Raises:
        DataError: the file is no such table, has no rows, or names images that do not exist or have two taxa.

    """
    table = named_images(path)
    rows = [Example(path.parent / image, taxon) for image, taxon in zip(table[IMAGE], table[TAXON], strict=True)]
    missing = [row for row, example in enumerate(rows) if not example.path.is_file()]
    if missing:
        message = (
            f"{path}: {len(missing):,} of {len(rows):,} images do not exist: {listed(table[IMAGE].iloc[missing])} "
            f"(lines {listed(lines_of(path, missing))}); expected paths relative to {path.parent.absolute()}."
        )
        raise DataError(message)
    _check_one_taxon(path, rows)
    return list(dict.fromkeys(rows))


def named_images(path: Path) -> pd.DataFrame:
    """Read a table of images and taxa as text, in the columns `image` and `taxon`; other columns keep their names.

    Raises:
        DataError: the file is no table, lacks a column, has an empty cell in one of them, or has no rows.

    """
    table = read_table(path, DataError)
    if IMAGE not in table.columns:
        message = (
            f"{path} has no column '{IMAGE}'; its columns are {listed(table.columns, 20)}. Expected a CSV file with "
            f"the columns {IMAGE} and {TAXON}, separated by commas."
        )
        raise DataError(message)
    table = table.rename(columns={require_column(table, TAXON, path, DataError): TAXON})
    table = table.assign(**{name: canonical_text(table[name]) for name in (IMAGE, TAXON)})
    empty = [row for row, cell in enumerate(table[[IMAGE, TAXON]].isna().any(axis=1)) if cell]
    if empty:
        message = f"{path}: image or taxon is empty in lines {listed(lines_of(path, empty))}; fill in or delete them."
        raise DataError(message)
    if table.empty:
        message = f"{path} has a header, but no rows; expected at least one image with its taxon."
        raise DataError(message)
    return table


def _check_one_taxon(path: Path, examples: Sequence[Example]) -> None:
    taxa: dict[Path, set[str]] = {}
    for example in examples:
        taxa.setdefault(example.path.resolve(), set()).add(example.taxon)
    several = [f"{image.name} ({' and '.join(sorted(names))})" for image, names in taxa.items() if len(names) > 1]
    if several:
        message = f"{path}: {len(several):,} images have several taxa: {listed(several)}. Keep one row for each image."
        raise DataError(message)


def read_pixels(examples: Iterable[Example], background: Background | None) -> list[NDArray[np.uint8]]:
    """Read the images of examples as grey levels, uint8 of shape (height, width) each.

    Raises:
        DataError: an image cannot be decoded.

    """
    with quiet_decoder():
        read = [(example, example.pixels(background)) for example in examples]
    broken = [str(example.path) for example, pixels in read if pixels is None]
    if broken:
        message = (
            f"{len(broken):,} examples are not readable images: {listed(broken)}. Replace or remove them: they "
            "decide what is found."
        )
        raise DataError(message)
    return [pixels for _, pixels in read if pixels is not None]
