"""The manifest: one YAML file per data set, data and not code."""

from __future__ import annotations

import json
import re
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from .errors import ManifestError, listed
from .files.yaml_files import Schema, is_yaml, read_shipped, read_yaml, shipped_names
from .seeds import sha256_text

Background = Literal["light", "dark"]
Layout = Literal["challenge", "seanoe", "class-folders"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class KnownFault(Schema):
    """A fault that the files are known to have, and the rule that planktonbench follows."""

    fault: Text
    rule: Text
    count: Annotated[int, Field(ge=0)] | None = None


class Download(Schema):
    """One file that `data fetch` gets, and where it goes.

    `sha256` is null until somebody has pinned it. An archive is unpacked and `root`, the folder inside it that holds
    the data set, becomes the folder of the data set; any other file is put there as it is.
    """

    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
    sha256: Sha256 | None = None
    bytes: Annotated[int, Field(gt=0)] | None = None
    root: Text | None = None


class TaxonRecord(Schema):
    """What a published table says of a taxon; null where it says nothing.

    `lineage` begins at the root, ranks are joined by `/`. `group` is a broader taxon or a label that several data sets
    share. `aphia_id` is the number in the World Register of Marine Species.
    """

    lineage: Text | None = None
    group: Text | None = None
    plankton: bool | None = None
    living: bool | None = None
    aphia_id: Annotated[int, Field(gt=0)] | None = None


class Protocol(Schema):
    """Which part of a data set a publication used, and how; null is what it does not tell.

    `classes` are those it used; `fewest_objects` is its rule for a class, `n_classes` and `objects` are what it says
    was left by it; `folds` is the number of parts of its cross-validation.
    """

    citation: Text
    classes: tuple[Text, ...] | None = None
    n_classes: Annotated[int, Field(gt=1)] | None = None
    objects: Annotated[int, Field(gt=0)] | None = None
    fewest_objects: Annotated[int, Field(gt=0)] | None = None
    folds: Annotated[int, Field(gt=1)] | None = None
    not_told: Text | None = None


class Manifest(Schema):
    """What is known about a data set before its files are opened.

    `classes` maps each taxon to its published number of objects (null where none was published). `grouping` names the
    columns whose values together tell samples apart; empty when the files do not say which objects came together.
    `taxonomy` may say more of some classes; `protocols` are the uses that publications made of the data, by name.
    """

    name: Name
    title: Text
    instrument: Text
    source: Text
    citation: Text
    licence: Text
    layout: Layout | None = None  # None: recognised from the files
    background: Background
    doi: Annotated[str, StringConstraints(pattern=r"^10\.\d{4,9}/\S+$")] | None = None
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")] | None = None
    published: date | None = None
    objects: Annotated[int, Field(gt=0)] | None = None
    scale_bar: Annotated[int, Field(ge=0)] = 0  # rows at the bottom of each image that hold a scale bar
    pixel_size_um: Annotated[float, Field(gt=0)] | None = None
    downloads: tuple[Download, ...] = ()
    checksums: dict[str, Sha256] = Field(default_factory=dict)
    classes: dict[Text, Annotated[int, Field(ge=0)] | None] = Field(default_factory=dict)
    taxonomy: dict[Text, TaxonRecord] = Field(default_factory=dict)
    protocols: dict[Name, Protocol] = Field(default_factory=dict)
    grouping: tuple[Text, ...] = ()
    never_features: tuple[Text, ...] = ()
    known_faults: tuple[KnownFault, ...] = ()
    not_tried: Text | None = None

    @field_validator("classes")
    @classmethod
    def _no_class_twice(cls, classes: dict[str, int | None]) -> dict[str, int | None]:
        folded: dict[str, str] = {}
        for taxon in classes:
            key = re.sub(r"\s+", " ", taxon).casefold()
            if key in folded:
                message = f"classes '{folded[key]}' and '{taxon}' differ only in case or spaces"
                raise ValueError(message)
            folded[key] = taxon
        return classes

    @model_validator(mode="after")
    def _only_its_own_classes(self) -> Manifest:
        named = {"taxonomy": self.taxonomy} | {
            f"protocols.{name}.classes": protocol.classes or () for name, protocol in self.protocols.items()
        }
        for field, taxa in named.items():
            strange = [taxon for taxon in taxa if taxon not in self.classes]
            if strange:
                message = f"{field} names what is not among the classes: {listed(strange)}"
                raise ValueError(message)
        return self

    @property
    def sha256(self) -> str:
        """Hash of what the manifest says, whatever the order of keys, the layout of the file, or what it leaves out."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        return sha256_text(json.dumps(content, sort_keys=True, ensure_ascii=False))


def manifest_names() -> list[str]:
    """Names of the shipped manifests, sorted."""
    return shipped_names(resources.files(__package__))


def load_manifest(name: str) -> Manifest:
    """Open a shipped manifest by its name, or anybody's by the path of its YAML file.

    Raises:
        ManifestError: there is none of that name (near matches are told), or the file breaks the schema.

    """
    if is_yaml(name):
        return read_yaml(Path(name), Manifest, ManifestError)
    return read_shipped(name, resources.files(__package__), "data set", Manifest, ManifestError)


def manifest_of_folder(name: str, background: Background = "light") -> Manifest:
    """Make the manifest of a folder that nobody has described: its own taxa, and no sample column."""
    unknown = "not stated"
    return Manifest(
        name=name,
        title=f"Folder {name}",
        instrument=unknown,
        source=unknown,
        citation=unknown,
        licence=unknown,
        background=background,
    )
