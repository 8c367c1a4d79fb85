"""The card of a run: what was run, on what, how it went. With the predictions it is all that is kept."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from ...data_manifests.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_core import ErrorDetails, InitErrorDetails

CARD = "card.json"


class CardNote(BaseModel):
    """A fault of the data or an object left out, as `data_manifests.cleaning.Note`."""

    code: str
    text: str
    count: int
    examples: list[str] = []


class Facts(BaseModel):
    """A group of facts of a card; keys of later versions are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class CardData(Facts):
    """The data set of a run.

    Attributes:
        name: of the data set.
        manifest_sha256: hash of its manifest.
        sha256: hash of the files that were read.
        citation: how to cite it, with its licence.
        simulated: whether its objects were drawn by a program.
        classes: in the order of the score columns.

    """

    name: str = Field(alias="dataset")
    manifest_sha256: str
    sha256: str = Field(alias="data_sha256")
    citation: str = Field("", alias="data_citation")
    simulated: bool = False
    classes: list[str]


class CardSplit(Facts):
    """The split of a run, and how many objects its subsets have."""

    name: str = Field(alias="split")
    seed: int
    n_train: int
    n_valid: int
    n_test: int

    @property
    def plan(self) -> str:
        """Name of the split without the number of the fold."""
        return re.sub(r"-fold\d+$", "", self.name)


class CardTrack(Facts):
    """The track of a run.

    Attributes:
        name: under which its runs are stored.
        config: name of the track and its options.
        features: which feature table it learnt from and how that was measured; empty when it takes none.
        base_runs: runs that a fusion is built on: by name, a hash of their source, options and features.
        sha256: hash of its source code.
        source: paper, program or people it comes from.
        chosen: what it chose on validation rows.

    """

    name: str = Field(alias="track")
    config: dict[str, Any]
    features: dict[str, Any] = {"table": "native"}  # the only one that cards of earlier versions can mean
    base_runs: dict[str, str] = Field({}, validation_alias=AliasChoices("base_runs", "parts"))  # parts: until 0.1
    sha256: str = Field(alias="track_sha256")
    source: str = ""
    chosen: dict[str, Any] | None = None


class CardCost(Facts):
    """What a run took: wall-clock seconds, the most memory, and where.

    `prepare_seconds` covers reading tables, imports and warm-up.
    """

    fit_seconds: float | None = None
    predict_seconds: float | None = None
    prepare_seconds: float | None = None
    peak_rss_mb: float | None = None
    threads: int
    device: str = "cpu"
    machine: str = ""


GROUPS: dict[str, type[Facts]] = {"data": CardData, "split": CardSplit, "track": CardTrack, "cost": CardCost}
"""Groups of facts by their attribute; in `card.json` all facts stand side by side."""


class Card(Facts):
    """Card of one run: data, split, track and cost, and how it went.

    It is written flat, each fact under a name of its own, and read from that.
    """

    data: CardData
    split: CardSplit
    track: CardTrack
    cost: CardCost
    status: Literal["done", "failed", "skipped"]
    reason: str = ""
    quick: bool
    versions: dict[str, str]
    created: str
    notes: list[CardNote] = []

    @classmethod
    def of(cls, **facts: object) -> Card:
        """Make a card of facts under the names that they have in `card.json`.

        Raises:
            ValidationError: a fact is missing or of another type.

        """
        faults: list[InitErrorDetails] = []
        groups = {}
        for name, group in GROUPS.items():
            try:
                groups[name] = group.model_validate(facts)
            except ValidationError as fault:
                faults += [_repeated(detail) for detail in fault.errors()]
        if faults:
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return cls.model_validate({name: fact for name, fact in facts.items() if name not in GROUPS} | groups)

    def flat(self) -> dict[str, Any]:
        """Return all facts side by side, under the names that they have in `card.json`."""
        content = self.model_dump(mode="json", by_alias=True)
        return {**content, **{name: fact for group in GROUPS for name, fact in content.pop(group).items()}}

    def changed(self, **facts: object) -> Card:
        """Return the card with other facts, under the names that they have in `card.json`."""
        return Card.of(**{**self.flat(), **facts})

    def to_text(self) -> str:
        """Write the card as JSON with sorted keys."""
        return json.dumps(self.flat(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_text(cls, text: str | bytes) -> Card:
        """Read a card from JSON.

        Raises:
            ValidationError: a fact is missing or of another type.
            ValueError: the text is no JSON object.

        """
        content = json.loads(text)
        if not isinstance(content, dict):
            message = f"expected a JSON object, found {type(content).__name__}"
            raise ValueError(message)  # noqa: TRY004 - as JSON that cannot be read
        return cls.of(**content)


def _repeated(detail: ErrorDetails) -> InitErrorDetails:
    """Return an error of a group as one of the card."""
    kept = {"type": detail["type"], "loc": detail["loc"], "input": detail["input"], "ctx": detail.get("ctx", {})}
    return cast("InitErrorDetails", kept)


def read_card(folder: Path) -> Card | None:
    """Read a run folder's card; None when there is none.

    Raises:
        DataError: the card cannot be read.

    """
    path = folder / CARD
    if not path.is_file():
        return None
    try:
        return Card.from_text(path.read_bytes())
    except ValueError as fault:  # ValidationError is one
        details = fault.errors() if isinstance(fault, ValidationError) else []
        reasons = (
            "; ".join(f"{'.'.join(map(str, detail['loc']))} {detail['msg']}".strip() for detail in details) or fault
        )
        message = f"{path} is no readable card: {reasons}. Delete its folder to have the run done again."
        raise DataError(message) from fault
