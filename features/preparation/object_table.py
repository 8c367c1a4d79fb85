"""Measured features with one row for each object of a data set, alone or combined with its native table.

Combined with a native table, all measured columns are named `measured:<name>`, even if no native column has that name,
since programs use the same name for different quantities.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ...data_manifests.errors import DataError, listed
from ...data_manifests.files.atomic_writes import atomic_write
from ...data_manifests.files.cache import cache_folder, cache_locked
from ...data_manifests.files.source_code import source_sha256
from ...data_manifests.native_cache import prepared_native
from ...data_manifests.notes import NOTHING_FOUND, Note, note
from ...data_manifests.seeds import sha256_text

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ...data_manifests.dataset import Dataset
    from ..measured.table import MeasuredTable

PREFIX = "measured:"
FACTS = b"planktonbench"  # key in the metadata of the parquet file


@dataclass(frozen=True)
class ObjectTable:
    """A stored table of features with one row for each object of a data set.

    Attributes:
        path: parquet file in the cache: object_id, then float64 columns.
        values_sha256: hash of the measured values.
        notes: notes on objects that could not be measured.

    """

    path: Path
    values_sha256: str
    notes: tuple[Note, ...]


def object_table(dataset: Dataset, measured: MeasuredTable, *, with_native: bool) -> ObjectTable:
    """Return the cached measured features of the objects of a data set, creating the table if necessary.

    Args:
        dataset: an opened data set with images.
        measured: measured features of these images.
        with_native: include the native columns, before the measured ones.

    Raises:
        DataError: the cache cannot be written, or a native column has the name of a measured one.

    """
    import pyarrow.parquet as pq

    native = prepared_native(dataset) if with_native else None
    states = [dataset.data_sha256, dataset.manifest.sha256, measured.path.stem, "" if native is None else native.stem]
    key = sha256_text(str(with_native), source_sha256(__name__), *states)[:16]
    path = cache_folder() / "prepared" / f"{dataset.name}-{key}.parquet"
    if not path.is_file():
        _write(path, dataset, measured, with_native=with_native)
    facts = json.loads(pq.read_metadata(path).metadata[FACTS])
    notes = tuple(Note(**one | {"examples": tuple(one["examples"])}) for one in facts["notes"])
    return ObjectTable(path, facts["values_sha256"], notes)


def _write(path: Path, dataset: Dataset, measured: MeasuredTable, *, with_native: bool) -> None:
    """Write the table, with the hash of its values and its notes in the metadata."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = pd.read_parquet(measured.path).set_index("object_id").reindex(dataset.objects["object_id"])
    facts = {
        "values_sha256": hashlib.sha256(values.to_numpy().tobytes()).hexdigest(),
        "notes": [asdict(one) for one in _notes(dataset, values, measured.faults)],
    }
    table = _with_native(dataset, values) if with_native else values
    content = pa.Table.from_pandas(table.reset_index(), preserve_index=False)
    content = content.replace_schema_metadata({**content.schema.metadata, FACTS: json.dumps(facts)})
    with cache_locked(path.parent, path.with_suffix(".lock")):
        atomic_write(path, lambda temporary: pq.write_table(content, temporary))


def _with_native(dataset: Dataset, values: pd.DataFrame) -> pd.DataFrame:
    """Return the native columns followed by the measured ones.

    Raises:
        DataError: a native column has the name of a measured one.

    """
    import pandas as pd

    measured = values.add_prefix(PREFIX)
    native = dataset.native if dataset.native is not None else measured[[]]
    both = sorted({*native.columns} & {*measured.columns})
    if both:
        message = (
            f"{dataset.folder}: the native table contains columns measured by planktonbench: {listed(both)}. "
            "Remove these columns, or set 'features: native' to use them as they are."
        )
        raise DataError(message)
    return pd.concat([native, measured.set_axis(native.index)], axis=1)


def _notes(dataset: Dataset, values: pd.DataFrame, faults: pd.DataFrame) -> list[Note]:
    """Return notes on the objects that could not be measured, and on the images without an object."""
    found = dict(zip(faults["object_id"], faults["fault"], strict=True))
    members = {} if dataset.images is None else dataset.images.members
    ids = [object_id for object_id in values.index if object_id in found or object_id not in members]
    names = [f"{object_id} ({found.get(object_id, 'no image')})" for object_id in ids]
    missing = "objects have no image that can be measured: their measured features are missing"
    nothing = f"of {len(values):,} images show nothing that stands out from the background: no shape is measured"
    return [
        *note("not-measured", missing, names),
        *note(NOTHING_FOUND, nothing, values.index[values["area"] == 0]),
    ]
