"""Export of a measured table to a user-specified file: CSV, tab-separated or parquet."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ...data_manifests.errors import DataError
from ...data_manifests.files.atomic_writes import atomic_write, write_errors
from ...data_manifests.files.cache import cache_folder, cache_locked
from ...data_manifests.seeds import sha256_text
from .catalogue import NAMES
from .table import DESCRIPTION, OBJECT_ID, MeasuredTable
from .units import micrometre_columns, with_micrometres

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

DELIMITERS = {".csv": ",", ".tsv": "\t"}
PARQUET = ".parquet"
ROWS_AT_ONCE = 5_000
ADVICE = "Free some disk space or choose another file; the measured values stay in the cache."


@dataclass(frozen=True)
class Exported:
    """Number of rows written, and how many of them are images without an object."""

    rows: int
    empty: int


def check_target(out: Path) -> None:
    """Check, before anything is measured, that a file can be written, and create its folder.

    Raises:
        DataError: the suffix is not .csv, .tsv or .parquet, the file is a folder, or its folder cannot be created.

    """
    if out.suffix.lower() not in {*DELIMITERS, PARQUET} or out.is_dir():
        message = f"{out} cannot be written as a feature table; expected a file name ending in .csv, .tsv or .parquet."
        raise DataError(message)
    with write_errors(out, ADVICE):
        out.parent.mkdir(parents=True, exist_ok=True)


def export(table: MeasuredTable, out: Path, pixel_size_um: float | None = None) -> Exported:
    """Write a measured table to a file, atomically and in batches of rows.

    Args:
        table: the table.
        out: the file; its suffix determines the format: `.csv` and `.tsv` in UTF-8, missing values empty; `.parquet`
            with a description of the columns, as JSON, in its metadata under `planktonbench`.
        pixel_size_um: side of a pixel in µm; adds sizes in µm.

    Raises:
        DataError: the file cannot be written.

    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    write = partial(_write, table=table, suffix=out.suffix.lower(), pixel_size_um=pixel_size_um)
    folder = cache_folder() / "measured"
    lock = (
        folder / f"{sha256_text(str(out.resolve()))[:32]}.lock"
    )  # a lock next to the output file would be left behind
    with cache_locked(folder, lock), write_errors(out, ADVICE):
        atomic_write(out, write)
    areas = pq.read_table(table.path, columns=["area"])["area"]
    return Exported(len(areas), pc.sum(pc.equal(areas, 0)).as_py() or 0)


def _write(path: Path, table: MeasuredTable, suffix: str, pixel_size_um: float | None) -> None:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    names = [*NAMES, *micrometre_columns(pixel_size_um)]
    schema = pa.schema([(OBJECT_ID, pa.string()), *((name, pa.float64()) for name in names)])
    if suffix == PARQUET:
        schema = schema.with_metadata({DESCRIPTION: _description(table, pixel_size_um)})
        _write_all(pq.ParquetWriter(path, schema, use_dictionary=False), table, schema, pixel_size_um)
        return
    delimiter = DELIMITERS[suffix]
    with path.open("wb") as file:
        file.write((delimiter.join(schema.names) + "\n").encode())  # pyarrow would quote every name
        options = pyarrow.csv.WriteOptions(include_header=False, delimiter=delimiter)
        _write_all(pyarrow.csv.CSVWriter(file, schema, write_options=options), table, schema, pixel_size_um)


def _write_all(writer: Any, table: MeasuredTable, schema: pa.Schema, pixel_size_um: float | None) -> None:  # noqa: ANN401 - pyarrow's writers have no common type
    """Write rows in batches; NaN becomes a missing value."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with writer:
        for batch in pq.ParquetFile(table.path).iter_batches(ROWS_AT_ONCE):
            rows = with_micrometres(batch.to_pandas(), pixel_size_um)
            writer.write_table(
                pa.Table.from_pandas(rows, schema, preserve_index=False).replace_schema_metadata(schema.metadata)
            )


def _description(table: MeasuredTable, pixel_size_um: float | None) -> str:
    """Return the description of the columns as JSON, including the pixel size."""
    import pyarrow.parquet as pq

    known = json.loads(pq.read_metadata(table.path).metadata[DESCRIPTION])
    return json.dumps(known | {"pixel_size_um": pixel_size_um}, ensure_ascii=False)
