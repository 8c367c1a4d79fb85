"""The table of features that a track learns from: the data set's own, one measured from its images, or both in one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ...data_manifests.native_cache import prepared_native
from ...data_manifests.seeds import sha256_text
from ...reports.pictures.segmentation_outlines import keep_outlines
from ..console.progress import counting

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ...data_manifests.dataset import Dataset
    from ...data_manifests.images.store import ImageStore
    from ...data_manifests.notes import Note
    from ...features.measured.objects.segmentation import Segmentation
    from ...features.measured.table import MeasuredTable
    from ..execution.settings import Settings
    from ..suites.suite import Features

NATIVE, MEASURED = "native", "measured"
SOURCES = {NATIVE: "native table", MEASURED: "images"}


@dataclass(frozen=True)
class FeatureTable:
    """A table of features of a data set.

    Attributes:
        path: parquet file: object_id, then float64 columns, a row for each object; None when it cannot be had.
        identity: which table it is and how it was measured, as the cards of its runs keep it.
        notes: what could not be measured.
        lacks: what the data set lacks for it.
        options: how objects were told from the background; None when nothing was measured.

    """

    path: Path | None
    identity: dict[str, Any]
    notes: tuple[Note, ...] = ()
    lacks: tuple[str, ...] = ()
    options: Segmentation | None = None


def feature_tables(
    dataset: Dataset, wishes: Iterable[Features | None], settings: Settings
) -> dict[Features | None, FeatureTable]:
    """Return the tables that are wished for; images are measured when one needs it, and that is said on screen.

    Args:
        dataset: an opened data set.
        wishes: which tables; None is the native one where there is one, else the measured one.
        settings: of the run; its jobs measure.

    Raises:
        DataError: the cache cannot be written, or a native column is called like a measured one.

    """
    choices = {wish: _choice(dataset, wish) for wish in wishes}
    tables = {choice: _unmeasured(dataset, choice) for choice in choices.values()}
    wanted = [choice for choice, table in tables.items() if MEASURED in _tables_of(choice) and not table.lacks]
    if wanted and dataset.images is not None:
        options = _options_of(dataset)
        measured = _measure(dataset, dataset.images, options, settings)
        tables |= {choice: _with_measured(dataset, choice, options, measured) for choice in wanted}
    return {wish: tables[choice] for wish, choice in choices.items()}


def show_measured(out: Path, dataset: Dataset, tables: Iterable[FeatureTable]) -> None:
    """Keep pictures of what was measured of a data set for the report; none when no table was measured.

    Args:
        out: the results folder.
        dataset: the opened data set.
        tables: its tables.

    """
    for table in tables:
        if table.options is not None:
            from ...features.measured.objects.segmentation import segment

            state = sha256_text(dataset.data_sha256, json.dumps(table.identity, sort_keys=True))
            keep_outlines(out, dataset, partial(segment, options=table.options), state)
            return


def _options_of(dataset: Dataset) -> Segmentation:
    """Return how the objects of a data set are told from the background, by its manifest."""
    from ...features.measured.objects.segmentation import Segmentation

    return Segmentation(background=dataset.manifest.background, scale_bar=dataset.manifest.scale_bar)


def _choice(dataset: Dataset, wish: Features | None) -> Features:
    if wish is not None:
        return wish
    return "measured" if dataset.native is None and dataset.images else "native"


def _tables_of(choice: Features) -> list[str]:
    return choice.split("+")


def _unmeasured(dataset: Dataset, choice: Features) -> FeatureTable:
    """Return the table as far as it can be had without measuring."""
    there = {NATIVE: dataset.native is not None, MEASURED: bool(dataset.images)}
    lacks = tuple(SOURCES[table] for table in _tables_of(choice) if not there[table])
    return FeatureTable(prepared_native(dataset) if choice == NATIVE else None, {"table": choice}, lacks=lacks)


def _measure(dataset: Dataset, images: ImageStore, options: Segmentation, settings: Settings) -> MeasuredTable:
    """Measure the images of a data set, unless that was done before, and say so."""
    from ...features.measured.catalogue import NAMES
    from ...features.measured.table import measured_table

    why = "there is no native table" if dataset.native is None else "since the suite asks for it"
    settings.progress.log(f"{dataset.name}: measuring {len(images):,} images, {why} ({options.background} background)")
    with counting("measuring images", len(images), "images") as advance:
        measured = measured_table(images, options, jobs=settings.jobs, advance=advance)
    before = f", {measured.reused:,} of them by an earlier run" if measured.reused else ""
    settings.progress.log(f"{dataset.name}: {len(NAMES)} features of {len(images):,} images measured{before}")
    return measured


def _with_measured(dataset: Dataset, choice: Features, options: Segmentation, measured: MeasuredTable) -> FeatureTable:
    """Return a table with measured features."""
    from ...features.measured.catalogue import VERSION
    from ...features.preparation.object_table import object_table

    table = object_table(dataset, measured, with_native=NATIVE in _tables_of(choice))
    pixel = dataset.manifest.pixel_size_um
    identity = {
        "table": choice,
        "version": VERSION,
        **asdict(options),
        **({} if pixel is None else {"pixel_size_um": pixel}),
        "values_sha256": table.values_sha256,
    }
    return FeatureTable(table.path, identity, table.notes, options=options)
