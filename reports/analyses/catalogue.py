"""What ecologists and curators read off stored predictions: all tables of that kind, with what each shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .abundance import (
    ABUNDANCE,
    ABUNDANCE_BY_TAXON,
    ABUNDANCE_BY_TAXON_SHOWS,
    ABUNDANCE_SHOWS,
    abundance_by_taxon_table,
    abundance_table,
)
from .calibration import (
    CALIBRATION,
    CALIBRATION_SHOWS,
    RELIABILITY,
    RELIABILITY_SHOWS,
    calibration_table,
    reliability_table,
)
from .error_variance import ERROR_VARIANCE, ERROR_VARIANCE_SHOWS, error_variance_table
from .plankton import PLANKTON, PLANKTON_SHOW, plankton_table
from .sorting_effort import EFFORT, EFFORT_SHOWS, effort_table
from .taxonomic_ranks import RANKS, RANKS_SHOW, ranks_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from ..results.section import Section
    from ..results.stored_run import StoredRun


@dataclass(frozen=True)
class FieldTable:
    """One table over all runs of a results folder.

    Attributes:
        file: its name among the report's tables.
        title: a heading.
        shows: what it shows, in words.
        make: computes it from runs; failed runs have no rows, and a run that cannot be measured has its reason.

    """

    file: str
    title: str
    shows: str
    make: Callable[[Sequence[StoredRun]], pd.DataFrame]


FIELD_TABLES = (
    FieldTable(RANKS, "Up the taxonomy", RANKS_SHOW, ranks_table),
    FieldTable(PLANKTON, "Plankton alone", PLANKTON_SHOW, plankton_table),
    FieldTable(ABUNDANCE, "Counts by sample", ABUNDANCE_SHOWS, abundance_table),
    FieldTable(ABUNDANCE_BY_TAXON, "Counts by taxon", ABUNDANCE_BY_TAXON_SHOWS, abundance_by_taxon_table),
    FieldTable(CALIBRATION, "Scores as probabilities", CALIBRATION_SHOWS, calibration_table),
    FieldTable(RELIABILITY, "Confidence and accuracy", RELIABILITY_SHOWS, reliability_table),
    FieldTable(EFFORT, "Sorting saved", EFFORT_SHOWS, effort_table),
    FieldTable(ERROR_VARIANCE, "Evenness of errors", ERROR_VARIANCE_SHOWS, error_variance_table),
)


def field_tables(runs: Sequence[StoredRun]) -> dict[str, pd.DataFrame]:
    """Compute all of `FIELD_TABLES`, by the names of their files."""
    return {table.file: table.make(runs) for table in FIELD_TABLES}


def of_section(table: pd.DataFrame, section: Section) -> pd.DataFrame:
    """Return the rows of a table that belong to one data set under one split, all of its folds."""
    return table[(table["dataset"] == section.dataset) & table["split"].isin(section.splits)]
