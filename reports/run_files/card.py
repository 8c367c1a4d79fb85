"""Run card: settings, data, cost and status of a run, stored together with its predictions."""

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
LAST_STEPS = 1 / 20
"""Share of the steps of a training; if the best is among the last ones, more steps might have been better."""
CLASSIFICATION = "classification"
"""Task of runs whose card does not state one."""

SUBMITTED = "predictions-file"
"""Name of the track in the configuration of runs whose predictions were submitted as a file."""


class CardNote(BaseModel):
    """Note on a fault in the data or on excluded objects, like `data_manifests.notes.Note`."""

    code: str
    text: str
    count: int
    examples: list[str] = []


class CardCurve(BaseModel):
    """Course of one training on validation rows, like `models.protocol.trials.LearningCurve`."""

    unit: str
    measure: str
    scores: list[float]
    steps: list[int]
    best: int
    limit: int
    stopped: Literal["patience", "limit", "time"]

    @property
    def best_at_the_end(self) -> bool:
        """Whether the best step is the last, or among the last twentieth of the steps."""
        return self.steps[-1] - self.best <= self.steps[-1] * LAST_STEPS


class CardTrial(BaseModel):
    """One training of a track, like `models.protocol.trials.Trial`."""

    seconds: float
    valid_macro_f1: float | None = None
    options: dict[str, Any] = {}
    part: str = ""
    chosen: bool = True
    curve: CardCurve | None = None


class Facts(BaseModel):
    """Group of card fields; keys of later versions are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class CardSelection(BaseModel):
    """Selection of the classes of a data set, like `data_manifests.class_selection.selection.SelectedClasses`."""

    of: int
    min_objects: int | None = None


class CardData(Facts):
    """Data set of a run.

    Attributes:
        name: name of the data set.
        manifest: name of its manifest, if it is another one; else empty.
        manifest_sha256: hash of its manifest.
        sha256: hash of the files that were read, and of the objects and classes that were left out.
        citation: citation and licence.
        simulated: whether its objects were drawn by a program.
        classes: class names in the order of the score columns.
        selected: number of classes from which these were selected, and how; None if all are used.
        withheld: classes that are tested but have no objects for training and validation; all of them are in `classes`.

    """

    name: str = Field(alias="dataset")
    manifest: str = ""
    manifest_sha256: str
    sha256: str = Field(alias="data_sha256")
    citation: str = Field("", alias="data_citation")
    simulated: bool = False
    classes: list[str]
    selected: CardSelection | None = None
    withheld: list[str] = []


class CardSplit(Facts):
    """Split of a run, with the number of objects in each subset."""

    name: str = Field(alias="split")
    seed: int
    n_train: int
    n_valid: int
    n_test: int

    @property
    def plan(self) -> str:
        """Name of the split without the fold number."""
        return re.sub(r"-fold\d+$", "", self.name)


class CardTrack(Facts):
    """Track of a run.

    Attributes:
        name: name under which its runs are stored.
        task: name of the track's task.
        labels: labels that the track received: of all training and validation objects, or none.
        config: name of the track and its options.
        features: feature table used for training and how it was measured; empty if none is used.
        base_runs: runs that it is built on, by name: a hash of their source, options and features.
        continues: the one of them whose fitted model it starts from; the others are those of a fusion. Empty for none.
        sha256: hash of its source code.
        source: paper, program or authors of the method.
        chosen: options selected on the validation subset.
        trials: trainings of the track, in order; none in earlier versions.
        n_trials: number of trainings, of which only a limited number is stored.

    """

    name: str = Field(alias="track")
    task: str = CLASSIFICATION
    labels: Literal["all", "none"] = "all"
    config: dict[str, Any]
    features: dict[str, Any] = {"table": "native"}  # the only table in earlier versions
    base_runs: dict[str, str] = Field({}, validation_alias=AliasChoices("base_runs", "parts"))  # parts: until 0.1
    continues: str = ""
    sha256: str = Field(alias="track_sha256")
    source: str = ""
    chosen: dict[str, Any] | None = None
    trials: list[CardTrial] = []
    n_trials: int = 0

    @property
    def fused_runs(self) -> list[str]:
        """Names of the runs that a fusion combines, and with which it is compared; empty for other tracks."""
        return [name for name in self.base_runs if name != self.continues]

    @property
    def is_submitted(self) -> bool:
        """Whether the predictions were submitted as a file; how they were made is not known."""
        return self.config.get("track") == SUBMITTED


class CardCost(Facts):
    """Cost of a run: wall-clock seconds, peak memory, and machine.

    `prepare_seconds` covers reading tables, imports and warm-up.
    """

    fit_seconds: float | None = None
    predict_seconds: float | None = None
    prepare_seconds: float | None = None
    peak_rss_mb: float | None = None
    threads: int
    device: str = "cpu"
    machine: str = ""


class CardHashes(Facts):
    """Hashes of what a run consists of; empty in cards of versions that did not store them.

    Attributes:
        tables: hash of the content of each stored table (`table_sha256` of `data_manifests.files.tables`), by file.
        model: hash of each file of the kept model, by its path in that folder; empty if the model was not kept.
        exported_from: the same of the original run if the tables are shortened or rounded copies; else empty.
        truth: hash of the truth table: subset, taxon, sample and lineage of each object.
        environment: hash of `versions`, which does not depend on the machine.
        code: hash of the source code that executes and scores runs; that of the track has its own hash.

    """

    tables: dict[str, str] = Field({}, alias="tables_sha256")
    model: dict[str, str] = Field({}, alias="model_sha256")
    exported_from: dict[str, str] = {}
    truth: str = Field("", alias="truth_sha256")
    environment: str = Field("", alias="environment_sha256")
    code: str = Field("", alias="code_sha256")


GROUPS: dict[str, type[Facts]] = {
    "data": CardData,
    "split": CardSplit,
    "track": CardTrack,
    "cost": CardCost,
    "hashes": CardHashes,
}
"""Groups of fields by attribute; `card.json` is flat."""


class Card(Facts):
    """Card of one run: data, split, track, cost, hashes and status.

    It is stored as a flat JSON object in which each field has a unique name.
    """

    data: CardData
    split: CardSplit
    track: CardTrack
    cost: CardCost
    hashes: CardHashes = CardHashes()
    status: Literal["done", "failed", "skipped"]
    reason: str = ""
    quick: bool
    versions: dict[str, str]
    created: str
    notes: list[CardNote] = []

    @classmethod
    def of(cls, **facts: object) -> Card:
        """Create a card from fields as named in `card.json`.

        Raises:
            ValidationError: a field is missing or has the wrong type.

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

    @property
    def label(self) -> str:
        """Data set, track, split and seed as text."""
        return f"{self.data.name} · {self.track.name} · {self.split.name} · seed {self.split.seed}"

    def flat(self) -> dict[str, Any]:
        """Return all fields as a flat dictionary, as named in `card.json`."""
        content = self.model_dump(mode="json", by_alias=True)
        for group in GROUPS:
            content |= content.pop(group)
        return content

    def changed(self, **facts: object) -> Card:
        """Return a copy of the card with changed fields, as named in `card.json`."""
        return Card.of(**{**self.flat(), **facts})

    def to_text(self) -> str:
        """Return the card as JSON with sorted keys."""
        return json.dumps(self.flat(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_text(cls, text: str | bytes) -> Card:
        """Read a card from JSON.

        Raises:
            ValidationError: a field is missing or has the wrong type.
            ValueError: the text is not a JSON object.

        """
        content = json.loads(text)
        if not isinstance(content, dict):
            message = f"expected a JSON object, found {type(content).__name__}"
            raise ValueError(message)  # noqa: TRY004 - as for invalid JSON
        return cls.of(**content)


def _repeated(detail: ErrorDetails) -> InitErrorDetails:
    """Return a validation error of a group as one of the card."""
    kept = {"type": detail["type"], "loc": detail["loc"], "input": detail["input"], "ctx": detail.get("ctx", {})}
    return cast("InitErrorDetails", kept)


def read_card(folder: Path) -> Card | None:
    """Read the card of a run folder; None if there is none.

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
        message = f"{path} is not a valid run card: {reasons}. Delete its folder and rerun."
        raise DataError(message) from fault
