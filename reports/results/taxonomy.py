"""Taxonomy of the classes of a run: lineage, broader group, and whether a class is plankton."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from ...data_manifests.manifest import load_manifest, manifest_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from ...data_manifests.manifest import TaxonRecord
    from .stored_run import StoredRun


@dataclass(frozen=True)
class Taxonomy:
    """Taxonomic information on the classes of a run.

    Attributes:
        source: source of the lineages: `manifest`, `truth`, or empty if there are none.
        places: lineage of each class as names from the root down; empty if unknown.
        groups: broader group of each class, or the class itself if unknown. Empty if no class has one.
        plankton: whether a class is plankton; classes for which this is unknown are left out.

    """

    source: str
    places: dict[str, tuple[str, ...]]
    groups: dict[str, str]
    plankton: dict[str, bool]

    @property
    def depth(self) -> int:
        """Number of ranks of the longest lineage."""
        return max(map(len, self.places.values()), default=0)

    def folded(self, rank: int) -> dict[str, str]:
        """Map each class to its ancestor at a rank; rank 1 is directly below the root.

        The ancestor is named by its whole path, since names such as `other` occur on several branches. A class whose
        lineage ends above the rank is mapped to the end of its lineage, one without a lineage to itself.
        """
        return {taxon: "/".join(place[:rank]) or taxon for taxon, place in self.places.items()}


def taxonomy_of(run: StoredRun) -> Taxonomy:
    """Return the taxonomy of a run's classes.

    Lineages are taken from the shipped manifest of the data set, or else from the truth. If objects of
    one class have several lineages (a class that merges several taxa), the class gets their common beginning. A class
    of the manifest without a lineage is placed by its group, if it has one (artefacts).

    Args:
        run: a stored run.

    """
    classes = run.card.data.classes
    shipped = _shipped_taxonomy(run)
    records = {taxon: shipped[taxon] for taxon in classes if taxon in shipped}
    if any(record.lineage for record in records.values()):
        source, places = "manifest", {taxon: _place(records.get(taxon)) for taxon in classes}
    else:
        source, places = "truth", _places_in_truth(run.truth, classes)
    return Taxonomy(
        source=source if any(places.values()) else "",
        places=places,
        groups={taxon: _group(taxon, records.get(taxon)) for taxon in classes}
        if any(record.group for record in records.values())
        else {},
        plankton={taxon: record.plankton for taxon, record in records.items() if record.plankton is not None},
    )


def _shipped_taxonomy(run: StoredRun) -> dict[str, TaxonRecord]:
    """Return the taxonomy of the shipped manifest of a run's data set; empty if there is none.

    A user's folder may have the name of a manifest; it is the data set of the manifest only if it has no other taxa.
    """
    data = run.card.data
    name = data.manifest or data.name
    if name not in manifest_names():
        return {}
    manifest = load_manifest(name)
    same = data.manifest_sha256 == manifest.sha256 or set(data.classes) <= set(manifest.classes)
    return manifest.taxonomy if same else {}


def _group(taxon: str, record: TaxonRecord | None) -> str:
    return (record and record.group) or taxon


def _place(record: TaxonRecord | None) -> tuple[str, ...]:
    if record is None:
        return ()
    return split_lineage(record.lineage or record.group or "")


def split_lineage(lineage: str) -> tuple[str, ...]:
    """Return the names of a lineage from the root down; separators are `/` and EcoTaxa's `>`.

    >>> split_lineage("/living/Eukaryota")
    ('living', 'Eukaryota')
    """
    return tuple(name for name in map(str.strip, re.split("[/>]", lineage)) if name)


def _places_in_truth(truth: pd.DataFrame, classes: Iterable[str]) -> dict[str, tuple[str, ...]]:
    known = truth[["taxon", "lineage"]].dropna().drop_duplicates()
    lineages = {str(taxon): list(map(split_lineage, rows["lineage"])) for taxon, rows in known.groupby("taxon")}
    return {taxon: _in_common(lineages.get(taxon, [()])) for taxon in classes}


def _in_common(places: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the common beginning of several lineages."""
    return tuple(names[0] for names in takewhile(lambda names: len(set(names)) == 1, zip(*places, strict=False)))
