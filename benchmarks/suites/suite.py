"""Schema of a suite: data sets, tracks, split, seeds and budgets in one YAML file."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ...data_manifests.class_selection.selection import FEWEST_CLASSES, ClassSelection
from ...data_manifests.errors import SuiteError, listed
from ...data_manifests.files.yaml_files import Schema, is_yaml, read_shipped, read_yaml, shipped_names
from ...data_manifests.manifest import Background, Name, Text, manifest_names
from ...data_manifests.splits import SplitPlan

if TYPE_CHECKING:
    from collections.abc import Iterable

Features = Literal["native", "measured", "native+measured"]
PROPERTIES = ("background", "scale_bar", "pixel_size_um")
"""Properties of the images of a folder, with the same meaning as in a manifest."""

Value = TypeVar("Value")


def unique(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return values, none of which may occur twice.

    Raises:
        ValueError: one does.

    """
    if len(set(values)) < len(values):
        message = "a value occurs twice"
        raise ValueError(message)
    return values


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

    Attributes:
        name: name in results and report.
        manifest: name of its manifest, which several entries may share; None means `name` or, with `path`, the manifest
            in the folder, or else a minimal one.
        path: folder or archive of its files.
        background: brightness of the background of its images; like the next two, only with `path` and no `manifest`.
        scale_bar: rows of the scale bar at the bottom of each image.
        pixel_size_um: side of a pixel, in µm.
        classes: the only classes to use; None for all.
        min_objects: number of objects that a class must have to be used.
        withhold: classes that are absent from train and valid and present in test.

    """

    name: Name
    manifest: Name | None = None
    path: Path | None = None
    background: Background = "light"
    scale_bar: Annotated[int, Field(ge=0)] = 0
    pixel_size_um: Annotated[float, Field(gt=0)] | None = None
    classes: Annotated[tuple[Text, ...], Field(min_length=FEWEST_CLASSES), AfterValidator(unique)] | None = None
    min_objects: Annotated[int, Field(gt=0)] | None = None
    withhold: Annotated[tuple[Text, ...], AfterValidator(unique)] = ()

    @model_validator(mode="after")
    def _of_a_folder(self) -> DatasetEntry:
        stated = [name for name in PROPERTIES if name in self.model_fields_set]
        if stated and (self.path is None or self.manifest is not None):
            cannot = "without path" if self.path is None else "with a manifest"
            message = f"{listed(stated)} of '{self.name}' cannot be set {cannot}; the manifest defines them"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _has_own_name(self) -> DatasetEntry:
        if self.manifest_name != self.name and self.name in manifest_names():
            message = f"'{self.name}' is the name of another manifest than {self.manifest}; choose another name"
            raise ValueError(message)
        return self

    @property
    def manifest_name(self) -> str:
        """Name of its manifest."""
        return self.manifest or self.name

    @property
    def source(self) -> tuple[str, Path | None]:
        """Name of its manifest, and path; entries with the same source use the same files."""
        return self.manifest_name, self.path

    @property
    def label(self) -> str:
        """Its name if its manifest has another one; else empty."""
        return "" if self.manifest_name == self.name else self.name

    @property
    def selection(self) -> ClassSelection:
        """The classes that it uses and withholds."""
        return ClassSelection(self.classes, self.min_objects, self.withhold)

    @property
    def properties(self) -> dict[str, Any]:
        """The properties of a folder without a manifest that are set, and its name."""
        return {name: getattr(self, name) for name in ("name", *PROPERTIES) if name in self.model_fields_set}


def _entries(datasets: Iterable[str | DatasetEntry]) -> list[DatasetEntry]:
    return [entry if isinstance(entry, DatasetEntry) else DatasetEntry(name=entry) for entry in datasets]


def _distinct(datasets: tuple[str | DatasetEntry, ...]) -> tuple[str | DatasetEntry, ...]:
    names = [entry.name for entry in _entries(datasets)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        message = f"two data sets have the name '{twice}', so their runs would share one folder"
        raise ValueError(message)
    return datasets


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


Datasets = Annotated[tuple[str | DatasetEntry, ...], Field(min_length=1), AfterValidator(_distinct)]
Tracks = Annotated[tuple[str | TrackEntry, ...], Field(min_length=1)]
Seeds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1), AfterValidator(unique)]


class Quick(Budget):
    """Values that `--quick` uses in place of those of the suite; those that are missing stay as they are.

    Limits that are set directly are the short form of `budget`. `options` are passed to each track that has an option
    of this name, and take precedence over the options of its entry.
    """

    datasets: Datasets | None = None
    tracks: Tracks | None = None
    features: Features | None = None
    split: SplitPlan | None = None
    seeds: Seeds | None = None
    budget: Budget | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_budget(self) -> Quick:
        direct = self.limits()
        if direct and self.budget is not None:
            message = f"{listed(direct)} and budget cannot both be set; put all limits into budget"
            raise ValueError(message)
        return self

    def limits(self) -> dict[str, Any]:
        """Return the limits that are set directly."""
        return {name: value for name in Budget.model_fields if (value := getattr(self, name)) is not None}

    def replacements(self) -> dict[str, Any]:
        """Return the values that take the place of those of the suite, by the name of its field."""
        direct = self.limits()
        stated = {name: getattr(self, name) for name in ("datasets", "tracks", "features", "split", "seeds", "budget")}
        return {name: value for name, value in stated.items() if value is not None} | (
            {"budget": Budget(**direct)} if direct else {}
        )


class Suite(Schema):
    """A suite of runs.

    `features` is the feature table for the tracks; None means the native table of a data set if it has one, else a
    table measured from its images.
    """

    name: Name
    datasets: Datasets
    tracks: Tracks
    features: Features | None = None
    split: SplitPlan = SplitPlan()
    seeds: Seeds = (0, 1, 2)
    budget: Budget = Budget()
    quick: Quick = Quick()

    def effective(self, *, quick: bool) -> Suite:
        """Return the suite as it is run: with `quick`, the values of that key take the place of its own."""
        return self.model_copy(update=self.quick.replacements()) if quick else self

    def chosen(self, **values: object) -> Suite:
        """Return a suite with values that are chosen for a call, which apply with `--quick`, too."""
        kept = self.quick.model_copy(update=dict.fromkeys(values))
        return self.model_copy(update={**values, "quick": kept})

    def dataset_entries(self) -> list[DatasetEntry]:
        """Return all data sets as entries."""
        return _entries(self.datasets)

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
    quick = suite.quick
    if quick.datasets is not None:
        quick = quick.model_copy(update={"datasets": _relative_to(path, quick.datasets)})
    return suite.model_copy(update={"datasets": _relative_to(path, suite.datasets), "quick": quick})


def _relative_to(suite: Path, datasets: Iterable[str | DatasetEntry]) -> tuple[DatasetEntry, ...]:
    """Return the entries of a suite file with absolute paths."""
    return tuple(
        entry
        if entry.path is None
        else entry.model_copy(update={"path": (suite.parent / entry.path.expanduser()).resolve()})
        for entry in _entries(datasets)
    )
