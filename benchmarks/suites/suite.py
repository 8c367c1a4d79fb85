"""Schema of a suite: data sets, tracks, split, seeds and budgets in one YAML file."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ...data_manifests.errors import SuiteError, listed
from ...data_manifests.files.yaml_files import Schema, is_yaml, read_shipped, read_yaml, shipped_names
from ...data_manifests.manifest import Background, Name
from ...data_manifests.splits import SplitPlan

Features = Literal["native", "measured", "native+measured"]


class Budget(Schema):
    """Limits of a run; each is passed to the tracks that have an option of this name."""

    epochs: Annotated[int, Field(gt=0)] | None = None
    minutes: Annotated[float, Field(gt=0)] | None = None
    candidates: Annotated[int, Field(gt=0)] | None = None

    def limits(self) -> dict[str, Any]:
        """Return the limits that are set."""
        return self.model_dump(exclude_none=True)


class DatasetEntry(Schema):
    """A data set of a suite: the name of a manifest, or a name for any folder with a recognised layout.

    The properties of the images have the same meaning as in a manifest and are only allowed with `path`.
    """

    name: Name
    path: Path | None = None
    background: Background = "light"
    scale_bar: Annotated[int, Field(ge=0)] = 0
    pixel_size_um: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _of_a_folder(self) -> DatasetEntry:
        properties = sorted(self.model_fields_set - {"name", "path"})
        if properties and self.path is None:
            message = f"{listed(properties)} of '{self.name}' cannot be set without path; the manifest defines them"
            raise ValueError(message)
        return self


class TrackEntry(BaseModel):
    """A track of a suite with its options, the name of its runs, and its feature table if not that of the suite."""

    model_config = ConfigDict(extra="allow", frozen=True)

    track: str
    stored_as: Name | None = Field(None, alias="as")
    features: Features | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Options set by the entry."""
        return dict(self.model_extra or {})


def _unique(values: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(values)) < len(values):
        message = "a value occurs twice"
        raise ValueError(message)
    return values


class Suite(Schema):
    """A suite of runs.

    `features` is the feature table for the tracks; None means the native table of a data set if it has one, else a
    table measured from its images.
    """

    name: Name
    datasets: Annotated[tuple[str | DatasetEntry, ...], Field(min_length=1)]
    tracks: Annotated[tuple[str | TrackEntry, ...], Field(min_length=1)]
    features: Features | None = None
    split: SplitPlan = SplitPlan()
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1), AfterValidator(_unique)] = (0, 1, 2)
    budget: Budget = Budget()
    quick: Budget = Budget()

    @model_validator(mode="after")
    def _no_dataset_twice(self) -> Suite:
        names = [entry.name for entry in self.dataset_entries()]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            message = f"two data sets have the name '{twice}', so their runs would share one folder"
            raise ValueError(message)
        return self

    def dataset_entries(self) -> list[DatasetEntry]:
        """Return all data sets as entries."""
        return [entry if isinstance(entry, DatasetEntry) else DatasetEntry(name=entry) for entry in self.datasets]

    def track_entries(self) -> list[TrackEntry]:
        """Return all tracks as entries."""
        return [entry if isinstance(entry, TrackEntry) else TrackEntry(track=entry) for entry in self.tracks]


def suite_names() -> list[str]:
    """Return the names of the shipped suites, sorted."""
    return shipped_names(_shipped())


def suite_text(name: str) -> str:
    """Return the text of a shipped suite, or of the YAML file at a path.

    Raises:
        SuiteError: the suite does not exist; the message lists near matches.

    """
    load_suite(name)
    return (Path(name) if is_yaml(name) else _shipped().joinpath(f"{name}.yaml")).read_text("utf-8")


def parse_features(text: str) -> Features:
    """Return the kind of feature table with this name.

    Raises:
        SuiteError: there is no such kind.

    """
    for known in get_args(Features):
        if text == known:
            return cast("Features", known)
    message = f"features is '{text}'; expected native, measured or native+measured."
    raise SuiteError(message)


def _shipped() -> Traversable:
    return resources.files(__package__)


def load_suite(name: str) -> Suite:
    """Load a shipped suite by name, or a user-supplied one by the path of its YAML file.

    Paths of data sets are relative to that file.

    Raises:
        SuiteError: the suite does not exist (the message lists near matches), or the file breaks the schema.

    """
    if not is_yaml(name):
        return read_shipped(name, _shipped(), "suite", Suite, SuiteError)
    path = Path(name)
    suite = read_yaml(path, Suite, SuiteError)
    return suite.model_copy(update={"datasets": tuple(_relative_to(path, entry) for entry in suite.dataset_entries())})


def _relative_to(suite: Path, entry: DatasetEntry) -> DatasetEntry:
    if entry.path is None:
        return entry
    return entry.model_copy(update={"path": (suite.parent / entry.path.expanduser()).resolve()})
