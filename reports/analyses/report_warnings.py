"""Methodological cautions: what makes a number of the report say less than it seems to, each with a code.

Every code has a section in docs/warnings.md, which this module writes:
`python -m planktonbench.reports.analyses.report_warnings FILE`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ...data_manifests.errors import listed
from ..comparisons.comparison import ENOUGH_CLUSTERS, TOO_NARROW
from ..scoring.bootstrap import FEWEST_CLUSTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..results.section import Section
    from .duplicates import Duplicates

WARNINGS = "warnings.csv"
COLUMNS = ("code", "name", "dataset", "split", "text")


@dataclass(frozen=True)
class Kind:
    """A kind of caution.

    Attributes:
        code: W and two digits; never used for another kind.
        name: a short name.
        title: what is found, in a few words.
        meaning: why it matters, with its source.
        remedy: what to do about it.

    """

    code: str
    name: str
    title: str
    meaning: str
    remedy: str


SHARED_SAMPLE = Kind(
    "W01",
    "shared-sample",
    "Samples have objects both in training and in test",
    "Objects of one net tow, bottle or camera run look alike: the same light, the same water, the same bloom. A method "
    "that has seen some of them recognises the others more easily than it would recognise those of the next cruise, so "
    "that the score is too high for what it will be used for.",
    "Split by samples: --split grouped-holdout, or grouped: true in the suite. Where the question is how well a sample "
    "is finished that a person has begun to sort, the split is right as it is.",
)
FEW_CLUSTERS = Kind(
    "W02",
    "few-clusters",
    f"Classes whose test objects come from fewer than {FEWEST_CLUSTERS} samples",
    "The interval of a class comes from drawing samples anew. With two or three of them there is next to nothing to "
    "draw from, and the class's F1 can hang on a single tow. Such a class has no interval in the tables, and weighs in "
    "macro F1 as much as any other. Without samples, single objects are counted.",
    "Do not rest a claim on these classes alone. More folds (--split kfold3) test every object once.",
)
OBJECT_INTERVAL = Kind(
    "W03",
    "object-interval",
    "The interval comes from drawing single objects",
    "The data do not say which sample an object comes from (or all come from one), so that objects were drawn one by "
    "one, as if they were independent. Objects of one sample are alike, and the true uncertainty is larger, often "
    "several times (Miller 2024, arXiv 2411.00640).",
    "Add a column 'sample' to the data where it is known; else read the interval as a lower bound of the uncertainty.",
)
FUSION_NO_GAIN = Kind(
    "W04",
    "fusion-no-gain",
    "A fusion is not shown to be better than its best part",
    "A method that takes features and images costs more than either. Here the paired interval of its difference to the "
    "part that is best on validation objects, which is the part that one would have taken instead, holds zero or lies "
    "below.",
    "Report the fusion beside its best part, never alone. tables/fusion.csv has the difference of each run.",
)
DUPLICATES_ACROSS = Kind(
    "W05",
    "copies-across-split",
    "Test objects whose copy is in training",
    "Two objects agree in all native features, or their image files are the same to the last byte, and one is trained "
    "on while the other is tested. What is known by heart is not recognised.",
    "Clean the data and run again; 'planktonbench data audit DIR' lists copies, and images that were encoded again.",
)
CONSTANT = Kind(
    "W06",
    "constant-predictions",
    "A track calls every test object the same",
    "Training has collapsed, or the track is a baseline that is meant to do so. Its accuracy is the share of one "
    "class, and can look respectable on data in which one class is most of what there is.",
    "Unless it is the baseline, look at the learning curve, the learning rate and the weights of classes.",
)
SIMULATED = Kind(
    "W07",
    "simulated-data",
    "The objects are drawings made by a program",
    "Simulated data are there to try the program, to teach and to test. They follow the published class sizes and the "
    "statistics of features, and nothing else of nature. Which method is best on them says nothing about plankton.",
    "Use them to check that everything runs; take real data for every claim.",
)
FEW_SAMPLES = Kind(
    "W08",
    "few-samples",
    f"All test objects come from fewer than {ENOUGH_CLUSTERS} samples",
    f"Intervals come from drawing these samples anew, and of few samples the draws vary less than other samples of "
    f"the same water would. {TOO_NARROW}",
    "Take a difference for real only when it is clear of zero by a good margin, or holds on several data sets. More "
    "samples help; more objects of the same samples do not.",
)
KINDS = (
    SHARED_SAMPLE,
    FEW_CLUSTERS,
    OBJECT_INTERVAL,
    FUSION_NO_GAIN,
    DUPLICATES_ACROSS,
    CONSTANT,
    SIMULATED,
    FEW_SAMPLES,
)


@dataclass(frozen=True)
class ReportWarning:
    """A caution that applies.

    Attributes:
        kind: which.
        text: what was found, with numbers and names.

    """

    kind: Kind
    text: str


def warnings_of(section: Section, copies: Duplicates, fusions: pd.DataFrame) -> list[ReportWarning]:
    """Return what a reader of a section's numbers has to know, by code.

    Args:
        section: the results.
        copies: of its data set.
        fusions: rows of the section, from `fusion.fusion_table`.

    """
    found = [
        *_shared_samples(section),
        *_few_clusters(section),
        *_object_interval(section),
        *_fusions(fusions),
        *_copies(section, copies),
        *_constant(section),
    ]
    simulated = [ReportWarning(SIMULATED, "Simulated data: no result of real plankton.")] if section.simulated else []
    return [*found, *simulated, *_few_samples(section)]


def _shared_samples(section: Section) -> Iterator[ReportWarning]:
    truth = section.runs[0].truth.dropna(subset=["sample"])
    samples = {part: set(rows["sample"]) for part, rows in truth.groupby("part")}
    shared = samples.get("train", set()) & samples.get("test", set())
    if len(shared) and len(truth["sample"].unique()) > 1:
        test = truth[truth["part"] == "test"]
        touched = int(test["sample"].isin(shared).sum())
        yield ReportWarning(
            SHARED_SAMPLE,
            f"{touched:,} of {len(test):,} test objects come from samples that training objects come from, too "
            f"({len(shared):,} samples: {listed(sorted(shared), 2)}).",
        )


def _few_clusters(section: Section) -> Iterator[ReportWarning]:
    if section.done:
        per_class = section.done[0].scores[0].per_class
        few = per_class.loc[per_class["f1_lo"].isna(), "taxon"].tolist()
        unit = "samples" if section.drawn_by == "samples" else "test objects"
        if few:
            yield ReportWarning(
                FEW_CLUSTERS,
                f"{len(few):,} of {len(per_class):,} classes have fewer than {FEWEST_CLUSTERS} {unit} in the test "
                f"rows of the first run: {listed(few, 5)}.",
            )


def _object_interval(section: Section) -> Iterator[ReportWarning]:
    if section.done and section.drawn_by != "samples":
        yield ReportWarning(OBJECT_INTERVAL, "Intervals come from drawing single objects, and are too narrow.")


def _few_samples(section: Section) -> Iterator[ReportWarning]:
    if not section.done or section.drawn_by != "samples":
        return
    n = section.done[0].scores[0].n_clusters
    if n < ENOUGH_CLUSTERS:
        yield ReportWarning(
            FEW_SAMPLES, f"The test objects of the first run come from {n} samples; intervals are too narrow."
        )


def _fusions(fusions: pd.DataFrame) -> Iterator[ReportWarning]:
    for track, rows in fusions.groupby("track"):
        without = int((rows["verdict"] != "better").sum())
        if without:
            of = f"in {without} of {len(rows)} runs" if len(rows) > 1 else "here"
            parts = " or ".join(rows["best_single"].unique())
            yield ReportWarning(FUSION_NO_GAIN, f"{track} is {of} not shown to be better than {parts}, its best part.")


def _copies(section: Section, copies: Duplicates) -> Iterator[ReportWarning]:
    tested = copies.tested(section.runs[0])
    if tested:
        yield ReportWarning(
            DUPLICATES_ACROSS,
            f"{len(tested):,} test objects of the first run have a copy among its training objects: "
            f"{listed(tested, 5)}.",
        )


def _constant(section: Section) -> Iterator[ReportWarning]:
    for track in section.done:
        runs = [run.predictions for run in track.runs if run.score is not None]
        same = [
            predictions
            for predictions in runs
            if len(set(predictions["predicted"])) == 1 < len(set(predictions["taxon"]))
        ]
        if same:
            name = same[0]["predicted"].iloc[0]
            of = f" in {len(same)} of {len(runs)} runs" if len(runs) > 1 else ""
            yield ReportWarning(CONSTANT, f"{track.name} calls every test object {name}{of}.")


def warnings_table(found: list[tuple[Section, list[ReportWarning]]]) -> pd.DataFrame:
    """Return one row for each caution of each section, with `COLUMNS`."""
    rows = [
        (one.kind.code, one.kind.name, section.dataset, section.split, one.text)
        for section, warnings in found
        for one in warnings
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def as_page() -> str:
    """Return docs/warnings.md."""
    intro = (
        "# Warnings\n\n"
        "`planktonbench run` and `planktonbench report` print these codes, the report shows them above the numbers, "
        "and `report/tables/cautions.csv` lists them. A warning does not say that a result is wrong; it says what the "
        "result does not show.\n"
    )
    pages = [
        f"## {kind.code} {kind.name}\n\n**{kind.title}.** {kind.meaning}\n\n**What to do.** {kind.remedy}\n"
        for kind in KINDS
    ]
    return "\n".join([intro, *pages])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(as_page(), encoding="utf-8")
