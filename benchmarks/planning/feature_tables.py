"""Feature tables of a data set: native, measured from its images, or both."""

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
    from ...data_manifests.files.processes import RunTasks
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
    """A feature table of a data set.

    Attributes:
        path: parquet file with object_id and float64 columns, one row per object; None if it is not available.
        identity: kind of table and settings of the measurement, as stored in the cards of its runs.
        notes: objects that could not be measured.
        missing: inputs that the table needs and the data set does not have.
        options: segmentation of the images; None if nothing was measured.

    """

    path: Path | None
    identity: dict[str, Any]
    notes: tuple[Note, ...] = ()
    missing: tuple[str, ...] = ()
    options: Segmentation | None = None


def feature_tables(
    dataset: Dataset, requested: Iterable[Features | None], settings: Settings, run_tasks: RunTasks | None = None
) -> dict[Features | None, FeatureTable]:
    """Return the requested feature tables; images are measured if a table needs it, which is logged.

    Args:
        dataset: an opened data set.
        requested: kinds of tables; None is the native table if there is one, else the measured one.
        settings: settings of the run; `jobs` is the number of processes that measure.
        run_tasks: measures chunks of images elsewhere; None measures in processes of this machine.

    Raises:
        DataError: the cache cannot be written, or a native column has the name of a measured one.

    """
    choices = {kind: _choice(dataset, kind) for kind in requested}
    tables = {choice: _unmeasured(dataset, choice) for choice in choices.values()}
    to_measure = [choice for choice, table in tables.items() if MEASURED in _tables_of(choice) and not table.missing]
    if to_measure and dataset.images is not None:
        options = _options_of(dataset)
        measured = _measure(dataset, dataset.images, options, settings, run_tasks)
        tables |= {choice: _with_measured(dataset, choice, options, measured) for choice in to_measure}
    return {kind: tables[choice] for kind, choice in choices.items()}


def show_measured(out: Path, dataset: Dataset, tables: Iterable[FeatureTable]) -> None:
    """Store pictures of the segmentation for the report; none if no table was measured.

    Args:
        out: the results folder.
        dataset: the opened data set.
        tables: its feature tables.

    """
    for table in tables:
        if table.options is not None:
            from ...features.measured.objects.segmentation import segment

            state = sha256_text(dataset.data_sha256, json.dumps(table.identity, sort_keys=True))
            keep_outlines(out, dataset, partial(segment, options=table.options), state)
            return


def _options_of(dataset: Dataset) -> Segmentation:
    """Return the segmentation options of a data set from its manifest."""
    from ...features.measured.objects.segmentation import Segmentation

    return Segmentation(background=dataset.manifest.background, scale_bar=dataset.manifest.scale_bar)


def _choice(dataset: Dataset, kind: Features | None) -> Features:
    if kind is not None:
        return kind
    return "measured" if dataset.native is None and dataset.images else "native"


def _tables_of(choice: Features) -> list[str]:
    return choice.split("+")


def _unmeasured(dataset: Dataset, choice: Features) -> FeatureTable:
    """Return the table as far as it is available without measuring."""
    available = {NATIVE: dataset.native is not None, MEASURED: bool(dataset.images)}
    missing = tuple(SOURCES[table] for table in _tables_of(choice) if not available[table])
    return FeatureTable(prepared_native(dataset) if choice == NATIVE else None, {"table": choice}, missing=missing)


def _measure(
    dataset: Dataset, images: ImageStore, options: Segmentation, settings: Settings, run_tasks: RunTasks | None
) -> MeasuredTable:
    """Measure the images of a data set or read the result from the cache, and log it."""
    from ...features.measured.catalogue import NAMES
    from ...features.measured.table import measured_table

    why = "there is no native table" if dataset.native is None else "as requested by the suite"
    settings.progress.log(f"{dataset.name}: measuring {len(images):,} images, {why} ({options.background} background)")
    with counting("measuring images", len(images), "images") as advance:
        measured = measured_table(images, options, jobs=settings.jobs, run_tasks=run_tasks, advance=advance)
    reused = f", {measured.reused:,} of them by an earlier run" if measured.reused else ""
    settings.progress.log(f"{dataset.name}: {len(NAMES)} features of {len(images):,} images measured{reused}")
    return measured


def _with_measured(dataset: Dataset, choice: Features, options: Segmentation, measured: MeasuredTable) -> FeatureTable:
    """Return a feature table that contains measured features."""
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
