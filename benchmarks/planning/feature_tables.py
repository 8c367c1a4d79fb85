"""The table of features that a track learns from: the data set's own, one measured from its images, or both in one.

Where both stand side by side, each measured column is called `measured:<name>`, also where no native column has that
name: programs give different numbers the same name, and a name should tell whose it is.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data_manifests.errors import DataError, listed
from ...data_manifests.files.atomic_writes import write_whole
from ...data_manifests.files.cache import cache_folder, cache_locked
from ...data_manifests.native_cache import prepared_native
from ...data_manifests.notes import Note, note
from ...data_manifests.seeds import sha256_text
from ...reports.pictures.segmentation_outlines import NOTHING_FOUND, keep_outlines
from ..console.progress import counting

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from ...data_manifests.dataset import Dataset
    from ...data_manifests.images.store import ImageStore
    from ...features.measured.objects.segmentation import Segmentation
    from ...features.measured.table import MeasuredTable
    from ..execution.settings import Settings
    from ..suites.suite import Features

NATIVE, MEASURED = "native", "measured"
SOURCES = {NATIVE: "native table", MEASURED: "images"}
PREFIX = "measured:"
FACTS = b"planktonbench"  # key in the metadata of the parquet file


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
    wanted = [choice for choice, table in tables.items() if MEASURED in _parts(choice) and not table.lacks]
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


def _parts(choice: Features) -> list[str]:
    return choice.split("+")


def _unmeasured(dataset: Dataset, choice: Features) -> FeatureTable:
    """Return the table as far as it can be had without measuring."""
    there = {NATIVE: dataset.native is not None, MEASURED: bool(dataset.images)}
    lacks = tuple(SOURCES[part] for part in _parts(choice) if not there[part])
    return FeatureTable(prepared_native(dataset) if choice == NATIVE else None, {"table": choice}, lacks=lacks)


def _measure(dataset: Dataset, images: ImageStore, options: Segmentation, settings: Settings) -> MeasuredTable:
    """Measure the images of a data set, unless that was done before, and say so."""
    from ...features.measured.catalogue import NAMES
    from ...features.measured.table import measured_table

    why = "there is no native table" if dataset.native is None else "since the suite asks for it"
    settings.progress.say(f"{dataset.name}: measuring {len(images):,} images, {why} ({options.background} background)")
    with counting("measuring images", len(images), "images") as advance:
        measured = measured_table(images, options, jobs=settings.jobs, advance=advance)
    before = f", {measured.reused:,} of them by an earlier run" if measured.reused else ""
    settings.progress.say(f"{dataset.name}: {len(NAMES)} features of {len(images):,} images measured{before}")
    return measured


def _with_measured(dataset: Dataset, choice: Features, options: Segmentation, measured: MeasuredTable) -> FeatureTable:
    """Return a table with measured features: one row per object of the data set, in the cache."""
    import pyarrow.parquet as pq

    from ...features.measured.catalogue import VERSION

    native = prepared_native(dataset) if NATIVE in _parts(choice) else None
    code = Path(__file__).read_text("utf-8")
    states = [dataset.data_sha256, dataset.manifest.sha256, measured.path.stem, "" if native is None else native.stem]
    path = cache_folder() / "prepared" / f"{dataset.name}-{sha256_text(choice, code, *states)[:16]}.parquet"
    if not path.is_file():
        _write(path, dataset, choice, measured)
    facts = json.loads(pq.read_metadata(path).metadata[FACTS])
    pixel = dataset.manifest.pixel_size_um
    identity = {
        "table": choice,
        "version": VERSION,
        **asdict(options),
        **({} if pixel is None else {"pixel_size_um": pixel}),
        "values_sha256": facts["values_sha256"],
    }
    return FeatureTable(
        path,
        identity,
        tuple(Note(**one | {"examples": tuple(one["examples"])}) for one in facts["notes"]),
        options=options,
    )


def _write(path: Path, dataset: Dataset, choice: Features, measured: MeasuredTable) -> None:
    """Write a table with measured features, and in its metadata what the cards tell of it."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = pd.read_parquet(measured.path).set_index("object_id").reindex(dataset.objects["object_id"])
    facts = {
        "values_sha256": hashlib.sha256(values.to_numpy().tobytes()).hexdigest(),
        "notes": [asdict(one) for one in _notes(dataset, values, measured.faults)],
    }
    table = values if choice == MEASURED else _beside_native(dataset, values)
    content = pa.Table.from_pandas(table.reset_index(), preserve_index=False)
    content = content.replace_schema_metadata({**content.schema.metadata, FACTS: json.dumps(facts)})
    with cache_locked(path.parent, path.with_suffix(".lock")):
        write_whole(path, lambda part: pq.write_table(content, part))


def _beside_native(dataset: Dataset, values: pd.DataFrame) -> pd.DataFrame:
    """Put measured columns behind the native ones.

    Raises:
        DataError: a native column has the name of a measured one.

    """
    import pandas as pd

    measured = values.add_prefix(PREFIX)
    native = dataset.native if dataset.native is not None else measured[[]]
    both = sorted({*native.columns} & {*measured.columns})
    if both:
        message = (
            f"{dataset.folder}: the native table has columns that were measured by planktonbench: {listed(both)}. "
            "Remove them there, or say 'features: native' to use them as they are."
        )
        raise DataError(message)
    return pd.concat([native, measured.set_axis(native.index)], axis=1)


def _notes(dataset: Dataset, values: pd.DataFrame, faults: pd.DataFrame) -> list[Note]:
    """Return what could not be measured of the objects of a data set, and what shows no object."""
    found = dict(zip(faults["object_id"], faults["fault"], strict=True))
    there = {} if dataset.images is None else dataset.images.members
    ids = [object_id for object_id in values.index if object_id in found or object_id not in there]
    names = [f"{object_id} ({found.get(object_id, 'no image')})" for object_id in ids]
    missing = "objects have no image that can be measured: their measured features are missing"
    nothing = f"of {len(values):,} images show nothing that stands out from the background: no shape is measured"
    return [
        *note("not-measured", missing, names),
        *note(NOTHING_FOUND, nothing, values.index[values["area"] == 0]),
    ]
