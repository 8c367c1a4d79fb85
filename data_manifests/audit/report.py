"""Audit of the images, labels, split and features of an opened data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from ..splits import FEWEST_OBJECTS, SplitPlan, make_splits
from ..subsets import SET_NAMES
from .copies import ALIKE_FROM, MOST_BITS, near_duplicates, same_pixels
from .findings import Finding, finding
from .leaks import single_feature_scores, suspicious
from .scan import scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ..dataset import Dataset

SMALL_CLASS = 20  # objects; with fewer, a hold-out of 15 % leaves three or fewer in test
THIN = 4  # pixels
STATUS = {
    "empty": "empty files",
    "truncated": "truncated images",
    "damaged": "damaged images (wrong checksum or marker)",
    "unknown": "files that are not images",
    "unreadable": "images that cannot be decoded",
}


@dataclass(frozen=True)
class Audit:
    """Result of an audit.

    Attributes:
        dataset: the data set.
        images: one row per image, as returned by `scan`, with the object's taxon if it has one; None without images.
        pairs: near-duplicate images, as returned by `near_duplicates`; None without images.
        split: name of the audited split; empty if none can be made.
        feature_scores: balanced accuracy of each native feature alone; None without native table.
        findings: the findings.

    """

    dataset: Dataset
    images: pd.DataFrame | None
    pairs: pd.DataFrame | None
    split: str
    feature_scores: pd.Series | None
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the audit as plain values, without the tables."""
        return {
            "data_set": self.dataset.name,
            "simulated": self.dataset.simulated,
            "objects": len(self.dataset),
            "taxa": len(self.dataset.classes),
            "images": 0 if self.images is None else len(self.images),
            "split": self.split,
            "notes": [str(note) for note in self.dataset.notes],
            "findings": [found.to_json() for found in self.findings],
        }


def audit(dataset: Dataset, *, jobs: int = 1, advance: Callable[[int], object] = lambda _: None) -> Audit:
    """Audit an opened data set.

    Args:
        dataset: the data set.
        jobs: number of processes that open images; the result does not depend on it.
        advance: called with the number of images opened since the last call.

    """
    taxon = dataset.objects.set_index("object_id")["taxon"]
    images = pairs = scores = None
    findings = _label_findings(dataset)
    if dataset.images is not None:
        images = scan(dataset.images, jobs=jobs, advance=advance)
        images["taxon"] = images["object_id"].map(taxon)
        pairs = near_duplicates(images)
        findings = [*_image_findings(images), *_copy_findings(images, pairs), *findings]
    split, found = _split_findings(dataset, images, pairs)
    findings += found
    if dataset.native is not None:
        scores = single_feature_scores(dataset.native, dataset.objects["taxon"])
        findings += _feature_findings(dataset.native, scores)
    return Audit(dataset, images, pairs, split, scores, tuple(findings))


def _image_findings(images: pd.DataFrame) -> list[Finding]:
    findings: list[Finding] = []
    for status, text in STATUS.items():
        members = images["member"][images["status"] == status]
        findings += finding("images", f"image-{status}", text, "Replace them, or remove their objects.", members)
    good = images[images["status"] == "ok"]
    kinds = [
        ("flat", "images with a single grey level", "They show nothing.", good["lowest"] == good["highest"]),
        ("thin", f"images less than {THIN} px high or wide", "Check whether they are cropped correctly.",
         good[["height", "width"]].min(axis=1) < THIN),
        ("colour", "colour images", "They are converted to grey.", good["coloured"] == 1),
        ("alpha", "images with transparency", "Transparent pixels take the grey level of the border.",
         good["channels"].isin([2, 4])),
        ("deep", "images with more than 8 bits", "They are converted to 8 bits.", good["bits"] > 8),  # noqa: PLR2004
    ]  # fmt: skip
    for code, text, advice, which in kinds:
        findings += finding("images", code, text, advice, good["member"][which])
    return findings


def _names(images: pd.DataFrame) -> list[str]:
    """Return the name of each image: its member, with the taxon if that is not part of the path."""
    taxa = images["taxon"].fillna("no taxon")
    pairs = zip(images["member"], taxa, strict=True)
    return [member if f"/{taxon}/" in f"/{member}" else f"{member} ({taxon})" for member, taxon in pairs]


def _copy_findings(images: pd.DataFrame, pairs: pd.DataFrame) -> list[Finding]:
    groups = same_pixels(images)
    conflicting = [_several(group["taxon"]) for group in groups]
    identical = sum(not _several(group["content"]) for group in groups)
    copies = [" = ".join(_names(group)) for group in groups]
    names, taxa = _names(images), images["taxon"].to_numpy(object)
    similar = [f"{names[one]} ~ {names[two]}" for one, two in zip(pairs["first"], pairs["second"], strict=True)]
    differ = differing(taxa[pairs["first"]], taxa[pairs["second"]])
    copy, near = "images that occur more than once", "pairs of near-duplicate images"
    same = f"(Their pixels are identical; {identical:,} of all {len(groups):,} groups are identical files.)"
    wrong, repeated = f"One of the labels is wrong; keep one. {same}", f"Keep one of each. {same}"
    limits = f"perceptual hashes within {MOST_BITS} of 64 bits, correlation of {ALIKE_FROM} or more"
    inspect = f"Inspect these candidates ({limits})."
    return [
        *finding("labels", "copies-at-odds", f"{copy}, with different labels", wrong, _select(copies, conflicting)),
        *finding(
            "images", "copies", f"{copy}, with the same label", repeated, _select(copies, conflicting, which=False)
        ),
        *finding("labels", "look-alikes-at-odds", f"{near}, with different labels", inspect, _select(similar, differ)),
        *finding(
            "images", "look-alikes", f"{near}, with the same label", inspect, _select(similar, differ, which=False)
        ),
    ]


def _several(values: pd.Series) -> bool:
    return len(set(values.dropna())) > 1


def differing(first: NDArray[np.object_], second: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Return where both labels are known and differ, bool of shape (n,)."""
    import numpy as np
    import pandas as pd

    return np.asarray(pd.notna(first) & pd.notna(second) & (first != second))


def _select(names: list[str], marks: Iterable[bool], *, which: bool = True) -> list[str]:
    return [name for name, mark in zip(names, marks, strict=True) if mark == which]


def _label_findings(dataset: Dataset) -> list[Finding]:
    counts = dataset.objects["taxon"].value_counts()
    tiny = counts[counts < FEWEST_OBJECTS]
    small = counts[(counts >= FEWEST_OBJECTS) & (counts < SMALL_CLASS)]
    return [
        *finding(
            "labels", "class-too-small", f"taxa with fewer than {FEWEST_OBJECTS} objects",
            "They cannot be in train, valid and test, nor in three folds, and are excluded.", _counted(tiny),
        ),
        *finding(
            "labels", "class-small", f"taxa with fewer than {SMALL_CLASS} objects",
            "A hold-out has three or fewer of their objects in test: their F1 is mostly chance.", _counted(small),
        ),
    ]  # fmt: skip


def _counted(counts: pd.Series) -> list[str]:
    return [f"{taxon} {count}" for taxon, count in counts.items()]


def _split_findings(
    dataset: Dataset, images: pd.DataFrame | None, pairs: pd.DataFrame | None
) -> tuple[str, list[Finding]]:
    """Find duplicates and samples in several subsets of the published split, or of the default hold-out."""
    published = {SET_NAMES.get(str(name).strip().lower()) for name in dataset.objects["set"].dropna().unique()}
    plan = SplitPlan(kind="published" if {"train", "test"} <= published else "holdout")
    try:
        split = make_splits(dataset, plan, 0)[0]
    except DataError as fault:
        return "", finding("split", "no-split", "splits that cannot be made", str(fault), [plan.name])
    subset = split.table.set_index("object_id")["part"]
    findings = [] if images is None or pairs is None else _copies_across(images, pairs, subset, split.name)
    samples = split.table.dropna(subset="sample").groupby("sample")["part"].nunique()
    advice = "Objects of one sample are similar: use --split grouped-holdout."
    findings += finding(
        "split", "samples-across", f"samples in several subsets of {split.name}", advice, samples.index[samples > 1]
    )
    return split.name, findings


def _copies_across(images: pd.DataFrame, pairs: pd.DataFrame, subset: pd.Series, split: str) -> list[Finding]:
    subsets = images["object_id"].map(subset)
    groups = [group for group in same_pixels(images) if _several(subsets[group.index])]
    across = subsets.to_numpy(object)
    apart = pairs[differing(across[pairs["first"]], across[pairs["second"]])]
    members = images["member"].to_numpy()
    similar = [f"{members[one]} ~ {members[two]}" for one, two in zip(apart["first"], apart["second"], strict=True)]
    leaked = "Test images were used for training; keep one of each."
    return [
        *finding(
            "split", "copies-across", f"images that occur in several subsets of {split}", leaked,
            [" = ".join(group["member"]) for group in groups],
        ),
        *finding(
            "split", "look-alikes-across", f"pairs of near-duplicate images in two subsets of {split}",
            "Inspect these candidates; test images may have been used for training.", similar,
        ),
    ]  # fmt: skip


def _feature_findings(native: pd.DataFrame, scores: pd.Series) -> list[Finding]:
    low, high, missing = native.min(), native.max(), native.isna().mean()
    holes = missing[(missing > 0) & (missing < 1)].sort_values(ascending=False, kind="stable")
    leaks = suspicious(scores)
    median = f"{scores.median():.2f}" if len(scores) else "none"
    best = f"features that alone recognise the taxa far better than the others (balanced accuracy; median {median})"
    return [
        *finding("features", "empty", "features without values", "They are dropped.", native.columns[missing == 1]),
        *finding("features", "constant", "constant features", "They are dropped.", native.columns[low == high]),
        *finding(
            "features", "missing", "features with missing values", "Missing values are kept.",
            [f"{name} {share:.2%}" for name, share in holes.items()],
        ),
        *finding(
            "features", "leak", best,
            "Check whether they leak the label. If so, list them under never_features in the manifest.",
            [f"{name} {score:.2f}" for name, score in leaks.items()],
        ),
    ]  # fmt: skip
