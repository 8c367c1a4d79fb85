"""Taxonomy of classes: lineages, groups, and flags of plankton."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from planktonbench.reports.results.stored_run import read_runs
from planktonbench.reports.results.taxonomy import Taxonomy, split_lineage, taxonomy_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

NDSB = {"amphipods": 9, "acantharia_protist": 18, "acantharia_protist_halo": 9, "artifacts": 9}


@pytest.fixture
def taxonomy_from_truth(tmp_path: Path, add_run: Callable[..., Path]) -> Callable[..., Taxonomy]:
    """Return a function that stores lineages in the truth; those of a taxon alternate over its objects."""

    def make(lineages: Mapping[str, list[str | None]]) -> Taxonomy:
        add_run(tmp_path, taxa=dict.fromkeys(lineages, 6))
        path = tmp_path / "truth" / "lake" / "holdout.v1" / "seed-0.parquet"
        truth = pd.read_parquet(path)
        values = [lineages[taxon][row % len(lineages[taxon])] for row, taxon in enumerate(truth["taxon"])]
        truth.assign(lineage=pd.Series(values, dtype="str")).to_parquet(path, index=False)
        (run,) = read_runs(tmp_path)
        return taxonomy_of(run)

    return make


def test_the_manifest_is_the_preferred_source(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """It has lineage, group and flag of each class; a class without a lineage is placed by its group."""
    add_run(tmp_path, dataset="ndsb", taxa=NDSB)
    found = taxonomy_of(read_runs(tmp_path)[0])

    assert found.source == "manifest"
    assert found.places == {
        "acantharia_protist": ("chromista", "radiozoa", "acantharia"),
        "acantharia_protist_halo": ("chromista", "radiozoa", "acantharia"),
        "amphipods": ("animalia", "arthropoda", "malacostraca", "amphipoda"),
        "artifacts": ("artefact",),
    }
    assert found.groups["acantharia_protist_halo"] == "acantharia"
    assert found.plankton == {name: name != "artifacts" for name in NDSB}


def test_an_entry_of_a_suite_has_the_taxonomy_of_its_manifest(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Whatever it is called."""
    add_run(tmp_path / "one", dataset="ndsb", taxa=NDSB)
    add_run(tmp_path / "two", dataset="five", manifest="ndsb", taxa=NDSB)
    one, two = (taxonomy_of(read_runs(tmp_path / name)[0]) for name in ("one", "two"))

    assert one == two


def test_lineages_are_read_from_the_truth_without_a_manifest(taxonomy_from_truth: Callable[..., Taxonomy]) -> None:
    """Both separators are supported; several lineages of a class are reduced to their common prefix."""
    found = taxonomy_from_truth(
        {
            "Acartia": ["living>Metazoa>Copepoda>Acartia"],
            "Copepoda": ["living/Metazoa/Copepoda/Oithona", "/living/Metazoa/Copepoda"],
            "mixed": ["living>Metazoa", "detritus", None],
            "dust": [None],
        }
    )

    assert found == Taxonomy(
        source="truth",
        places={
            "Acartia": ("living", "Metazoa", "Copepoda", "Acartia"),
            "Copepoda": ("living", "Metazoa", "Copepoda"),
            "dust": (),
            "mixed": (),
        },
        groups={},
        plankton={},
    )
    assert found.depth == 4


@pytest.mark.parametrize(("taxa", "source"), [(("amphipods", "ephyra"), "manifest"), (("amphipods", "Kraken"), "")])
def test_another_data_set_with_the_name_of_a_manifest_has_no_taxonomy_of_it(
    tmp_path: Path, add_run: Callable[..., Path], taxa: tuple[str, str], source: str
) -> None:
    """A class that the manifest does not have shows that the data are others."""
    add_run(tmp_path, dataset="ndsb", taxa=dict.fromkeys(taxa, 9))
    (run,) = read_runs(tmp_path)

    assert taxonomy_of(run).source == source


def test_a_taxonomy_without_lineages_is_empty(taxonomy_from_truth: Callable[..., Taxonomy]) -> None:
    """It has no source, and its depth is 0."""
    found = taxonomy_from_truth({"Acartia": [None], "dust": [None]})

    assert (found.source, found.depth) == ("", 0)


def test_classes_are_folded_into_their_ancestors() -> None:
    """Names are whole paths; a shorter lineage is mapped to its end, and a class without one to itself."""
    places = {"a": ("x", "other", "a"), "b": ("x", "other"), "c": ("y", "other", "c"), "d": ()}
    found = Taxonomy("truth", places, {}, {})

    assert found.folded(1) == {"a": "x", "b": "x", "c": "y", "d": "d"}
    assert found.folded(2) == {"a": "x/other", "b": "x/other", "c": "y/other", "d": "d"}
    assert found.folded(3) == {"a": "x/other/a", "b": "x/other", "c": "y/other/c", "d": "d"}


@pytest.mark.parametrize(
    "lineage", ["/living/Bacteria", "living>Bacteria", " living / Bacteria ", "//living/Bacteria/"]
)
def test_lineages_are_split_in_all_common_notations(lineage: str) -> None:
    """Separators are slashes or arrows, with or without a leading root."""
    assert split_lineage(lineage) == ("living", "Bacteria")
