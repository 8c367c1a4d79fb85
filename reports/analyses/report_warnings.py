"""Methodological warnings: what limits the meaning of a number in the report, each with a code.

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
class WarningKind:
    """A kind of warning.

    Attributes:
        code: W and two digits; never used for another kind.
        name: a short name.
        title: what was found, in a few words.
        meaning: why it matters, with its source.
        remedy: what to do about it.

    """

    code: str
    name: str
    title: str
    meaning: str
    remedy: str


SHARED_SAMPLE = WarningKind(
    "W01",
    "shared-sample",
    "Samples have objects both in training and in test",
    "Objects of one net tow, bottle or camera run resemble each other: the same light, the same water, the same "
    "bloom. A method trained on some of them recognises the others more easily than objects of the next cruise, so "
    "the score is too high for most uses.",
    "Split by samples: --split grouped-holdout, or grouped: true in the suite. The present split is right when the "
    "question is how well a partly sorted sample can be completed.",
)
FEW_CLUSTERS = WarningKind(
    "W02",
    "few-clusters",
    f"Classes whose test objects come from fewer than {FEWEST_CLUSTERS} samples",
    "The interval of a class comes from resampling samples. Two or three samples are too few to resample, and the F1 "
    "of the class may depend on a single tow. Such a class has no interval in the tables, and still counts in macro "
    "F1 as much as any other. Where samples are unknown, single objects are counted.",
    "Do not base a claim on these classes alone. More folds (--split kfold3) test every object once.",
)
OBJECT_INTERVAL = WarningKind(
    "W03",
    "object-interval",
    "Intervals come from resampling single objects",
    "The data do not state which sample an object comes from (or all come from one), so objects were resampled as if "
    "they were independent. Objects of one sample resemble each other, and the true uncertainty is larger, often "
    "several times (Miller 2024, arXiv 2411.00640).",
    "Add a column 'sample' to the data where it is known; otherwise read the interval as a lower bound of the "
    "uncertainty.",
)
FUSION_NO_GAIN = WarningKind(
    "W04",
    "fusion-no-gain",
    "A fusion is not significantly better than its best base model",
    "A method that uses features and images costs more than either. Here the paired interval of its difference from "
    "the base model that is best on validation objects, which would have been chosen instead, contains zero or lies "
    "below.",
    "Report the fusion together with its best base model. tables/fusion.csv has the difference of each run.",
)
DUPLICATES_ACROSS = WarningKind(
    "W05",
    "copies-across-split",
    "Test objects with a duplicate in training",
    "Two objects agree in all native features, or their image files are identical, and one is in training while the "
    "other is in test. Memorising an object is not recognising it.",
    "Clean the data and run again; 'planktonbench data audit DIR' lists duplicates, re-encoded images included.",
)
CONSTANT = WarningKind(
    "W06",
    "constant-predictions",
    "A track predicts the same class for every test object",
    "Training has collapsed, or the track is a baseline that is meant to do so. Its accuracy is the share of one "
    "class, which can look respectable where one class dominates.",
    "Unless it is the baseline, check the learning curve, the learning rate and the class weights.",
)
SIMULATED = WarningKind(
    "W07",
    "simulated-data",
    "The objects are drawings made by a program",
    "Simulated data serve to try the program, to teach and to test. They follow the published class sizes and feature "
    "statistics, and nothing else of nature. Which method is best on them says nothing about plankton.",
    "Use them to check that everything runs; use real data for every claim.",
)
FEW_SAMPLES = WarningKind(
    "W08",
    "few-samples",
    f"All test objects come from fewer than {ENOUGH_CLUSTERS} samples",
    "Intervals come from resampling these samples, and resamples of few samples vary less than new samples of the "
    f"same water would. {TOO_NARROW}",
    "Accept a difference only when its interval is far from zero, or when it holds on several data sets. More samples "
    "help; more objects of the same samples do not.",
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
    """A warning that applies.

    Attributes:
        kind: its kind.
        text: what was found, with numbers and names.

    """

    kind: WarningKind
    text: str


def warnings_of(section: Section, duplicates: Duplicates, fusions: pd.DataFrame) -> list[ReportWarning]:
    """Return the warnings that apply to a section, ordered by code.

    Args:
        section: the results.
        duplicates: of its data set.
        fusions: rows of the section, from `fusion.fusion_table`.

    """
    found = [
        *_shared_samples(section),
        *_few_clusters(section),
        *_object_interval(section),
        *_fusions(fusions),
        *_duplicates(section, duplicates),
        *_constant(section),
    ]
    simulated = (
        [ReportWarning(SIMULATED, "Simulated data: these are not results on real plankton.")]
        if section.simulated
        else []
    )
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
            f"{touched:,} of {len(test):,} test objects come from samples that also have training objects "
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
        yield ReportWarning(OBJECT_INTERVAL, "Intervals come from resampling single objects and are too narrow.")


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
            best = " or ".join(rows["best_single"].unique())
            text = f"{track} is {of} not significantly better than {best}, its best base model."
            yield ReportWarning(FUSION_NO_GAIN, text)


def _duplicates(section: Section, duplicates: Duplicates) -> Iterator[ReportWarning]:
    tested = duplicates.tested(section.runs[0])
    if tested:
        yield ReportWarning(
            DUPLICATES_ACROSS,
            f"{len(tested):,} test objects of the first run have a duplicate among its training objects: "
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
            yield ReportWarning(CONSTANT, f"{track.name} predicts {name} for every test object{of}.")


def warnings_table(found: list[tuple[Section, list[ReportWarning]]]) -> pd.DataFrame:
    """Return one row for each warning of each section, with `COLUMNS`."""
    rows = [
        (one.kind.code, one.kind.name, section.dataset, section.split, one.text)
        for section, warnings in found
        for one in warnings
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def as_page() -> str:
    """Return docs/warnings.md."""
    intro = (
        "# Warnings\n\n`planktonbench run` and `planktonbench report` print these codes, the report shows them above "
        "the numbers, and `report/tables/warnings.csv` lists them. A warning does not mean that a result is wrong; it "
        "states what the result does not show.\n"
    )
    pages = [
        f"## {kind.code} {kind.name}\n\n**{kind.title}.** {kind.meaning}\n\n**What to do.** {kind.remedy}\n"
        for kind in KINDS
    ]
    return "\n".join([intro, *pages])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(as_page(), encoding="utf-8")
