"""The suite: data sets, tracks, split, seeds and budgets, in one YAML file."""

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
    """How much a run may cost; each limit goes to the tracks that have an option of its name."""

    epochs: Annotated[int, Field(gt=0)] | None = None
    minutes: Annotated[float, Field(gt=0)] | None = None
    candidates: Annotated[int, Field(gt=0)] | None = None

    def limits(self) -> dict[str, Any]:
        """Return the limits that are set."""
        return self.model_dump(exclude_none=True)


class DatasetEntry(Schema):
    """A data set of a suite: a manifest's name, or any folder whose layout is recognised, under a name.

    What is said of the images of a folder is as in a manifest; a data set with a manifest has it there.
    """

    name: Name
    path: Path | None = None
    background: Background = "light"
    scale_bar: Annotated[int, Field(ge=0)] = 0
    pixel_size_um: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _of_a_folder(self) -> DatasetEntry:
        said = sorted(self.model_fields_set - {"name", "path"})
        if said and self.path is None:
            message = f"{listed(said)} of '{self.name}' stand in its manifest; expected path beside them"
            raise ValueError(message)
        return self


class TrackEntry(BaseModel):
    """A track of a suite, with options, the name under which its runs are stored, and its table if not the suite's."""

    model_config = ConfigDict(extra="allow", frozen=True)

    track: str
    stored_as: Name | None = Field(None, alias="as")
    features: Features | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The options that the entry sets."""
        return dict(self.model_extra or {})


def _unique(values: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(values)) < len(values):
        message = "a value stands there twice"
        raise ValueError(message)
    return values


class Suite(Schema):
    """What is run.

    `features` is the table that tracks learn from; None is the native one of each data set that has one, else one that
    is measured from the images.
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
            message = f"two data sets are called '{twice}', and their runs would lie in one folder"
            raise ValueError(message)
        return self

    def dataset_entries(self) -> list[DatasetEntry]:
        """Return all data sets as entries."""
        return [entry if isinstance(entry, DatasetEntry) else DatasetEntry(name=entry) for entry in self.datasets]

    def track_entries(self) -> list[TrackEntry]:
        """Return all tracks as entries."""
        return [entry if isinstance(entry, TrackEntry) else TrackEntry(track=entry) for entry in self.tracks]


def suite_names() -> list[str]:
    """Names of the shipped suites, sorted."""
    return shipped_names(_shipped())


def suite_text(name: str) -> str:
    """Return the text of a shipped suite's file, or of the YAML file at a path.

    Raises:
        SuiteError: there is none; near matches are named.

    """
    load_suite(name)
    return (Path(name) if is_yaml(name) else _shipped().joinpath(f"{name}.yaml")).read_text("utf-8")


def parse_features(text: str) -> Features:
    """Return which table of features a word means.

    Raises:
        SuiteError: it means none.

    """
    for known in get_args(Features):
        if text == known:
            return cast("Features", known)
    message = f"features is '{text}'; expected native, measured or native+measured."
    raise SuiteError(message)


def _shipped() -> Traversable:
    return resources.files(__package__)


def load_suite(name: str) -> Suite:
    """Open a shipped suite by name, or anybody's by the path of its YAML file; data paths are relative to that file.

    Raises:
        SuiteError: there is none of that name (near matches are told), or the file breaks the schema.

    """
    if not is_yaml(name):
        return read_shipped(name, _shipped(), "suite", Suite, SuiteError)
    path = Path(name)
    suite = read_yaml(path, Suite, SuiteError)
    return suite.model_copy(update={"datasets": tuple(_beside(path, entry) for entry in suite.dataset_entries())})


def _beside(suite: Path, entry: DatasetEntry) -> DatasetEntry:
    if entry.path is None:
        return entry
    return entry.model_copy(update={"path": (suite.parent / entry.path.expanduser()).resolve()})
