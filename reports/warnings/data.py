"""Warnings about the data: samples and duplicates in both training and test, leaked labels, and simulated objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...data_manifests.errors import listed
from .duplicates import Duplicates, store_duplicates
from .kind import DataWarningKind, WarningKind
from .single_features import SingleFeatures, store_single_features

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ...data_manifests.dataset import Dataset
    from .kind import Evidence, SplitData


class SharedSample(DataWarningKind):
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

    def findings(self, data: SplitData) -> Iterator[str]:
        """Count the test objects from such samples."""
        truth = data.truth.dropna(subset=["sample"])
        samples = {subset: set(rows["sample"]) for subset, rows in truth.groupby("part")}
        shared = samples.get("train", set()) & samples.get("test", set())
        if len(shared) and len(truth["sample"].unique()) > 1:
            test = truth[truth["part"] == "test"]
            affected = int(test["sample"].isin(shared).sum())
            yield (
                f"{affected:,} of {len(test):,} test objects come from samples that also have training objects "
                f"({len(shared):,} samples: {listed(sorted(shared), 2)})."
            )


class DuplicatesAcrossSplit(DataWarningKind):
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

    def findings(self, data: SplitData) -> Iterator[str]:
        """List such test objects."""
        duplicates = Duplicates.of(data.out, data.dataset)
        shared = duplicates.shared_with_training(data.truth) if duplicates.matches(data.data_sha256) else []
        if shared:
            yield (f"{len(shared):,} test objects have a duplicate among the training objects: {listed(shared, 5)}.")

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


class LeakingFeature(DataWarningKind):
    """Native features that may leak the label."""

    code = "W09"
    name = "leaking-feature"
    title = "A feature alone recognises the taxa far better than the others"
    meaning = (
        "Such a column may have been derived from the label, or assigned class by class: a code of the taxon, an id, a "
        "folder number. A track that uses it recognises nothing in the images. A decision tree is fitted to one column "
        "at a time, on one half of the training and validation objects, and evaluated on the other half by balanced "
        "accuracy. Columns are listed if they reach 0.5 and are outliers (above the third quartile by three "
        "interquartile ranges, and above the median by 0.15), or if they reach 0.98 for three taxa or more."
    )
    remedy = (
        "Find out how the column was made. If it leaks the label, list it under never_features in the manifest, or "
        "remove it from the table, and run again."
    )

    def findings(self, data: SplitData) -> Iterator[str]:
        """List such features with their balanced accuracy."""
        features = SingleFeatures.of(data.out, data.dataset)
        if not features.matches(data.data_sha256):
            return
        scores = [f"{name} {score:.2f}" for name, score in features.leaking.items()]
        if scores:
            yield (
                f"{len(scores):,} of {len(features.scores):,} features alone recognise the taxa far better than the "
                f"others (balanced accuracy, median {features.scores.median():.2f}): {listed(scores, 5)}."
            )

    def store(self, out: Path, dataset: Dataset) -> None:
        """Compute the scores of single features and store them."""
        store_single_features(out, dataset)
