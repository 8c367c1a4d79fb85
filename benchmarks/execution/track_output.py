"""Output that the process of a track hands in: facts, arrays and tables, sent without pickles."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ValidationError

from ...data_manifests.errors import TrackError
from ...reports.run_files.card import CardTrial  # noqa: TC001 - pydantic needs it
from ...reports.run_files.run_folder import IMPORTANCE, PREPARATION
from .job import MESSAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .run_server import Frames

EMBEDDINGS_OF = "embeddings-"
"""Prefix of the names of embeddings among the arrays, followed by the subset."""

SUBCLASSES_OF_TRAIN = "subclasses-train"
"""Name of the sub-classes of training objects among the arrays."""

TABLES = (PREPARATION, IMPORTANCE)
"""Tables that belong to no object, by the name of their file."""


class TrackFacts(BaseModel):
    """Facts for the card that come from the process of a track; fields as in the card."""

    model_config = MESSAGE

    status: Literal["done", "failed", "skipped"]
    reason: str = ""
    prepare_seconds: float | None = None
    fit_seconds: float | None = None
    predict_seconds: float | None = None
    peak_rss_mb: float | None = None
    device: str = "cpu"
    chosen: dict[str, Any] | None = None
    trials: list[CardTrial] = []
    n_trials: int = 0

    @classmethod
    def of(cls, **facts: object) -> TrackFacts:
        """Return facts that are partly attributes of a track; what is no JSON in them is stored as text.

        Raises:
            TrackError: an attribute has the wrong type, or cannot be written as JSON.

        """
        try:
            return cls.model_validate(json.loads(json.dumps(facts, default=str)))
        except (TypeError, ValueError) as fault:  # ValidationError is one of the latter
            details = fault.errors() if isinstance(fault, ValidationError) else []
            wrong = [f"{'.'.join(map(str, one['loc']))} is {one['input']!r}: {one['msg']}" for one in details]
            message = f"The card cannot store what the track has set: {'; '.join(wrong) or fault}."
            raise TrackError(message) from fault


@dataclass(frozen=True)
class TrackOutput:
    """Output of a track.

    Attributes:
        facts: status, reason, costs and choices, for the card.
        arrays: checked output for valid and test, embeddings of all subsets, and sub-classes of training objects, in
            the order of the track.
        tables: some of `TABLES`.

    """

    facts: TrackFacts
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def frames(self) -> list[bytes]:
        """Return the output as frames: facts, arrays, and each of `TABLES`, empty if there is none.

        Raises:
            TrackError: a table cannot be stored.

        """
        arrays = io.BytesIO()
        np.savez(arrays, allow_pickle=False, **self.arrays)
        facts = json.dumps(self.facts.model_dump()).encode()
        return [facts, arrays.getvalue(), *(_table_bytes(name, self.tables.get(name)) for name in TABLES)]

    @classmethod
    def read(cls, frames: Frames) -> TrackOutput:
        """Read the output from frames, without unpickling anything; no name of a file comes from them."""
        facts, arrays, *tables = frames
        with np.load(io.BytesIO(arrays), allow_pickle=False) as stored:
            found = dict(stored)
        pairs = zip(TABLES, tables, strict=True)
        return cls(
            TrackFacts.model_validate_json(bytes(facts)),
            found,
            {name: pd.read_parquet(io.BytesIO(content)) for name, content in pairs if content},
        )


def _table_bytes(name: str, table: object) -> bytes:
    if table is None:
        return b""
    what = f"The table {name} of the track cannot be stored"
    if not isinstance(table, pd.DataFrame):
        message = f"{what}: it is {type(table).__name__}; expected a pandas.DataFrame, or None."
        raise TrackError(message)
    content = io.BytesIO()
    try:
        table.to_parquet(content, index=False)
    except Exception as fault:
        message = f"{what}: {' '.join(str(fault).split())}. Expected text or numbers in each column."
        raise TrackError(message) from fault
    return content.getvalue()
