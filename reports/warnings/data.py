"""Warnings about the data: samples and duplicates in both training and test, and simulated objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...data_manifests.errors import listed
from .duplicates import duplicates_of, store_duplicates
from .kind import WarningKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ...data_manifests.dataset import Dataset
    from .kind import Evidence


class SharedSample(WarningKind):
    """Samples with objects in both training and test."""

    code = "W01"
    name = "shared-sample"
    title = "Samples with objects in both training and test"
    meaning = (
        "Objects of one net tow, bottle or camera run resemble each other: the same light, the same water, the same "
        "bloom. A method trained on some of them recognises the others more easily than objects of the next cruise, so "
        "the score is too high for most uses."
    )
    remedy = (
        "Split by samples: --split grouped-holdout, or grouped: true in the suite. The present split is appropriate if "
        "the question is how well a partly sorted sample can be completed."
    )

    def check(self, evidence: Evidence) -> Iterator[str]:
        """Count the test objects of the first run from such samples."""
        truth = evidence.section.runs[0].truth.dropna(subset=["sample"])
        samples = {subset: set(rows["sample"]) for subset, rows in truth.groupby("part")}
        shared = samples.get("train", set()) & samples.get("test", set())
        if len(shared) and len(truth["sample"].unique()) > 1:
            test = truth[truth["part"] == "test"]
            affected = int(test["sample"].isin(shared).sum())
            yield (
                f"{affected:,} of {len(test):,} test objects come from samples that also have training objects "
                f"({len(shared):,} samples: {listed(sorted(shared), 2)})."
            )


class DuplicatesAcrossSplit(WarningKind):
    """Test objects with a duplicate in training."""

    code = "W05"
    name = "copies-across-split"
    title = "Test objects with a duplicate in training"
    meaning = (
        "Two objects agree in all native features, or their image files are identical, and one is in training while "
        "the other is in test. Memorising an object is not recognising it."
    )
    remedy = (
        "Clean the data and run again; 'planktonbench data audit DIR' lists duplicates, re-encoded images included."
    )

    def check(self, evidence: Evidence) -> Iterator[str]:
        """List such test objects of the first run."""
        run = evidence.section.runs[0]
        shared = duplicates_of(run.out, run.card.data.name).shared_with_training(run)
        if shared:
            yield (
                f"{len(shared):,} test objects of the first run have a duplicate among its training objects: "
                f"{listed(shared, 5)}."
            )

    def store(self, out: Path, dataset: Dataset) -> None:
        """Find the duplicates in a data set and store them."""
        store_duplicates(out, dataset)


class SimulatedData(WarningKind):
    """Objects that are drawings made by a program."""

    code = "W07"
    name = "simulated-data"
    title = "The objects are drawings made by a program"
    meaning = (
        "Simulated data are for trying the program, teaching and testing. They reproduce the published class sizes and "
        "feature statistics, but no other property of real plankton. Differences between methods on simulated data "
        "cannot be generalised to real plankton."
    )
    remedy = "Use them to check that everything runs; use real data for every claim."

    def check(self, evidence: Evidence) -> Iterator[str]:
        """Report simulated data in any run."""
        if evidence.section.simulated:
            yield "Simulated data: these are not results on real plankton."
