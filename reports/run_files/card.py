"""The card of a run: what was run, on what, how it went. With the predictions it is all that is kept."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ...data_manifests.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

CARD = "card.json"


class CardNote(BaseModel):
    """A fault of the data or an object left out, as `data_manifests.cleaning.Note`."""

    code: str
    text: str
    count: int
    examples: list[str] = []


class Card(BaseModel):
    """Card of one run; keys of later versions are ignored.

    Seconds are wall-clock; prepare covers reading tables, imports and warm-up. `chosen` is what the track chose on
    validation rows. `classes` is the class list in the order of score columns. `features` tells which table of features
    the track learnt from and how it was measured, and is empty when the track takes none. `source` is the track's,
    `data_citation` the data set's with its licence. `parts` tells which runs a fusion is built on: by name, a hash of
    their source, options and features.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    dataset: str
    manifest_sha256: str
    data_sha256: str
    track: str
    config: dict[str, Any]
    features: dict[str, Any] = {"table": "native"}  # the only one that cards of earlier versions can mean
    parts: dict[str, str] = {}
    split: str
    seed: int
    status: Literal["done", "failed", "skipped"]
    reason: str = ""
    simulated: bool = False
    n_train: int
    n_valid: int
    n_test: int
    classes: list[str]
    fit_seconds: float | None = None
    predict_seconds: float | None = None
    prepare_seconds: float | None = None
    peak_rss_mb: float | None = None
    threads: int
    device: str = "cpu"
    quick: bool
    track_sha256: str
    versions: dict[str, str]
    created: str
    chosen: dict[str, Any] | None = None
    source: str = ""
    data_citation: str = ""
    notes: list[CardNote] = []
    machine: str = ""

    @property
    def split_plan(self) -> str:
        """Name of the split without the number of the fold."""
        return re.sub(r"-fold\d+$", "", self.split)

    def to_text(self) -> str:
        """Write the card as JSON with sorted keys."""
        return json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def read_card(folder: Path) -> Card | None:
    """Read a run folder's card; None when there is none.

    Raises:
        DataError: the card cannot be read.

    """
    path = folder / CARD
    if not path.is_file():
        return None
    try:
        return Card.model_validate_json(path.read_bytes())
    except ValidationError as fault:
        reasons = "; ".join(f"{'.'.join(map(str, detail['loc']))} {detail['msg']}".strip() for detail in fault.errors())
        message = f"{path} is no readable card: {reasons}. Delete its folder to have the run done again."
        raise DataError(message) from fault
