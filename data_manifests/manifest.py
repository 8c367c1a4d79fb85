"""Manifests: descriptions of data sets, one YAML file each."""

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

NOT_STATED = "not stated"
"""Value of texts of a manifest that are not known, such as the citation of a user's folder."""

Background = Literal["light", "dark"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class KnownFault(Schema):
    """Known fault of the files, and the rule that planktonbench applies."""

    fault: Text
    rule: Text
    count: Annotated[int, Field(ge=0)] | None = None


class Download(Schema):
    """File that `data fetch` downloads.

    `sha256` is null if it is not pinned. An archive is unpacked, and `root`, the folder inside it that contains the
    data set, becomes the folder of the data set; any other file is stored there unchanged.
    """

    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
    sha256: Sha256 | None = None
    bytes: Annotated[int, Field(gt=0)] | None = None
    root: Text | None = None


class TaxonRecord(Schema):
    """Entry of a taxon in a published table; null where the table has no value.

    `lineage` begins at the root, with ranks separated by `/`. `group` is a broader taxon, or a label shared by several
    data sets. `aphia_id` is the number in the World Register of Marine Species.
    """

    lineage: Text | None = None
    group: Text | None = None
    plankton: bool | None = None
    living: bool | None = None
    aphia_id: Annotated[int, Field(gt=0)] | None = None


class Protocol(Schema):
    """Selection and evaluation of a data set in a publication; null where the publication states nothing.

    `classes` are the classes used; `fewest_objects` is the minimum number of objects per class, `n_classes` and
    `objects` are the published numbers after applying it; `folds` is the number of folds of the cross-validation;
    `not_told` describes missing information.
    """

    citation: Text
    classes: tuple[Text, ...] | None = None
    n_classes: Annotated[int, Field(gt=1)] | None = None
    objects: Annotated[int, Field(gt=0)] | None = None
    fewest_objects: Annotated[int, Field(gt=0)] | None = None
    folds: Annotated[int, Field(gt=1)] | None = None
    not_told: Text | None = None


class Manifest(Schema):
    """Description of a data set, available before its files are opened.

    `classes` maps each taxon to its published number of objects (null if none was published). `grouping` names the
    columns whose values together identify a sample; empty if the files do not state samples. `taxonomy` has further
    information on some classes; `protocols` are published uses of the data, by name.
    """

    name: Name
    title: Text
    instrument: Text
    source: Text
    citation: Text
    licence: Text
    layout: Name | None = None  # for readers of the manifest; it is recognised by the files
    background: Background
    doi: Annotated[str, StringConstraints(pattern=r"^10\.\d{4,9}/\S+$")] | None = None
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")] | None = None
    published: date | None = None
    objects: Annotated[int, Field(gt=0)] | None = None
    scale_bar: Annotated[int, Field(ge=0)] = 0  # rows of the scale bar at the bottom of each image
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
    def _classes_are_unique(cls, classes: dict[str, int | None]) -> dict[str, int | None]:
        folded: dict[str, str] = {}
        for taxon in classes:
            key = re.sub(r"\s+", " ", taxon).casefold()
            if key in folded:
                message = f"classes '{folded[key]}' and '{taxon}' differ only in case or spaces"
                raise ValueError(message)
            folded[key] = taxon
        return classes

    @model_validator(mode="after")
    def _references_are_classes(self) -> Manifest:
        references = {"taxonomy": self.taxonomy} | {
            f"protocols.{name}.classes": protocol.classes or () for name, protocol in self.protocols.items()
        }
        for field, taxa in references.items():
            unknown = [taxon for taxon in taxa if taxon not in self.classes]
            if unknown:
                message = f"{field} contains names that are not classes: {listed(unknown)}"
                raise ValueError(message)
        return self

    @property
    def sha256(self) -> str:
        """Hash of the content, independent of key order, file formatting, and omitted or explicit defaults."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        return sha256_text(json.dumps(content, sort_keys=True, ensure_ascii=False))


def manifest_names() -> list[str]:
    """Names of the shipped manifests, sorted."""
    return shipped_names(resources.files(__package__))


def load_manifest(name: str) -> Manifest:
    """Load a shipped manifest by name, or a user-supplied one by the path of its YAML file.

    Raises:
        ManifestError: there is no manifest with this name (near matches are suggested), or the file does not follow
            the schema.

    """
    if is_yaml(name):
        return read_yaml(Path(name), Manifest, ManifestError)
    return read_shipped(name, resources.files(__package__), "data set", Manifest, ManifestError)


def manifest_of_folder(name: str, background: Background = "light") -> Manifest:
    """Return a minimal manifest for a folder without one: no class list, and no sample column."""
    return Manifest(
        name=name,
        title=f"Folder {name}",
        instrument=NOT_STATED,
        source=NOT_STATED,
        citation=NOT_STATED,
        licence=NOT_STATED,
        background=background,
    )
