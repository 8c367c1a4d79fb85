"""Warnings about confidence intervals: too few samples, or single objects as units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...data_manifests.errors import listed
from ..comparisons.comparison import FEWEST_SAMPLES
from ..scoring.proportions import FEWEST_CLUSTERS
from .kind import WarningKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .kind import Evidence


class FewClusters(WarningKind):
    """Classes whose test objects come from few samples."""

    code = "W02"
    name = "few-clusters"
    title = f"Classes whose test objects come from fewer than {FEWEST_CLUSTERS} samples"
    meaning = (
        "The interval of a class comes from the variation among samples. Two or three samples are too few for it, and "
        "the F1 of the class may depend on a single tow. Such a class has no interval in the tables, but counts in "
        "macro F1 as much as any other. If samples are unknown, single objects are counted."
    )
    remedy = "Do not base a claim on these classes alone. With folds (--split kfold3), every object is tested once."

    def check(self, evidence: Evidence) -> Iterator[str]:
        """List the classes without an interval in the first run of the best track."""
        section = evidence.section
        if not section.done:
            return
        per_class = section.done[0].scores[0].per_class
        few = per_class.loc[per_class["f1_lo"].isna(), "taxon"].tolist()
        unit = "samples" if section.drawn_by == "samples" else "test objects"
        if few:
            yield (
                f"{len(few):,} of {len(per_class):,} classes have fewer than {FEWEST_CLUSTERS} {unit} in the test "
                f"rows of the first run: {listed(few, 5)}."
            )


class ObjectInterval(WarningKind):
    """Intervals with single objects as units."""

    code = "W03"
    name = "object-interval"
    title = "Intervals treat objects as independent"
    meaning = (
        "The data do not state which sample an object comes from (or all come from one), so objects were treated as "
        "if they were independent. Objects of one sample resemble each other, and the true uncertainty is larger, "
        "often several times (Miller 2024, arXiv 2411.00640)."
    )
    remedy = (
        "Add a column 'sample' to the data if it is known; otherwise read the interval as a lower bound of the "
        "uncertainty."
    )

    def check(self, evidence: Evidence) -> Iterator[str]:
        """Report intervals that do not come from samples."""
        if evidence.section.done and evidence.section.drawn_by != "samples":
            yield "Intervals treat the objects as independent and are too narrow if objects come from samples."


class FewSamples(WarningKind):
    """Test objects from few samples in all."""

    code = "W08"
    name = "few-samples"
    title = f"All test objects come from fewer than {FEWEST_SAMPLES} samples"
    meaning = (
        "Intervals come from the variation among these samples. With so few, they are wide, and they were validated by "
        f"simulation only from {FEWEST_SAMPLES} samples on."
    )
    remedy = (
        "Accept a difference only if it is found on several data sets. More samples help; more objects of the same "
        "samples do not."
    )

    def check(self, evidence: Evidence) -> Iterator[str]:
        """Count the samples in the test rows of the first run of the best track."""
        section = evidence.section
        if not section.done or section.drawn_by != "samples":
            return
        n = section.done[0].scores[0].n_clusters
        if n < FEWEST_SAMPLES:
            yield f"The test objects of the first run come from {n} samples."
