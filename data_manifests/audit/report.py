"""The audit: images, labels, split and features of an opened data set."""

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

SMALL_CLASS = 20  # objects; of fewer, a hold-out of 15 % leaves three or less in test
THIN = 4  # pixels
STATUS = {
    "empty": "empty files",
    "truncated": "images that are cut off",
    "damaged": "damaged images (a checksum or a marker inside is wrong)",
    "unknown": "files that are no images",
    "unreadable": "images that cannot be decoded",
}


@dataclass(frozen=True)
class Audit:
    """What an audit saw and found.

    Attributes:
        dataset: the data set.
        images: one row per image, as `scan` returns, with the object's taxon (missing where it has none); None without
            images.
        pairs: pairs of images that look alike, as `near_duplicates` returns; None without images.
        split: name of the split that was looked at; empty when none can be made.
        alone: balanced accuracy of each native column alone; None without native table.
        findings: what was found.

    """

    dataset: Dataset
    images: pd.DataFrame | None
    pairs: pd.DataFrame | None
    split: str
    alone: pd.Series | None
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
        jobs: processes that open images; nothing depends on it.
        advance: told how many more images were opened.

    """
    taxon = dataset.objects.set_index("object_id")["taxon"]
    images = pairs = alone = None
    findings = _label_findings(dataset)
    if dataset.images is not None:
        images = scan(dataset.images, jobs=jobs, advance=advance)
        images["taxon"] = images["object_id"].map(taxon)
        pairs = near_duplicates(images)
        findings = [*_image_findings(images), *_copy_findings(images, pairs), *findings]
    split, found = _split_findings(dataset, images, pairs)
    findings += found
    if dataset.native is not None:
        alone = single_feature_scores(dataset.native, dataset.objects["taxon"])
        findings += _feature_findings(dataset.native, alone)
    return Audit(dataset, images, pairs, split, alone, tuple(findings))


def _image_findings(images: pd.DataFrame) -> list[Finding]:
    findings: list[Finding] = []
    for status, text in STATUS.items():
        members = images["member"][images["status"] == status]
        findings += finding("images", f"image-{status}", text, "Get them again, or take their objects out.", members)
    good = images[images["status"] == "ok"]
    kinds = [
        ("flat", "images of a single grey level", "Nothing is to be seen in them.", good["lowest"] == good["highest"]),
        ("thin", f"images less than {THIN} px high or wide", "Look at them: cut wrongly?",
         good[["height", "width"]].min(axis=1) < THIN),
        ("colour", "images with colour", "They are read as grey.", good["coloured"] == 1),
        ("alpha", "images with transparency", "It is not looked at.", good["channels"].isin([2, 4])),
        ("deep", "images of more than 8 bits", "They are read as 8 bits.", good["bits"] > 8),  # noqa: PLR2004
    ]  # fmt: skip
    for code, text, advice, which in kinds:
        findings += finding("images", code, text, advice, good["member"][which])
    return findings


def _names(images: pd.DataFrame) -> list[str]:
    """Name each image by its member, and by its taxon where the member does not tell it."""
    taxa = images["taxon"].fillna("no taxon")
    pairs = zip(images["member"], taxa, strict=True)
    return [member if f"/{taxon}/" in f"/{member}" else f"{member} ({taxon})" for member, taxon in pairs]


def _copy_findings(images: pd.DataFrame, pairs: pd.DataFrame) -> list[Finding]:
    groups = same_pixels(images)
    at_odds = [_several(group["taxon"]) for group in groups]
    whole = sum(not _several(group["content"]) for group in groups)
    copies = [" = ".join(_names(group)) for group in groups]
    names, taxa = _names(images), images["taxon"].to_numpy(object)
    alike = [f"{names[one]} ~ {names[two]}" for one, two in zip(pairs["first"], pairs["second"], strict=True)]
    differ = differing(taxa[pairs["first"]], taxa[pairs["second"]])
    twice, similar = "images that occur more than once", "pairs of images that look alike"
    same = f"(Their pixels are the same; of all {len(groups):,} such, {whole:,} are the same file byte for byte.)"
    wrong, again = f"One of the labels is wrong; keep one. {same}", f"Keep one of each. {same}"
    limits = f"perceptual hashes within {MOST_BITS} of 64 bits, correlation of {ALIKE_FROM} or more"
    look = f"Candidates ({limits}): look at them."
    return [
        *finding("labels", "copies-at-odds", f"{twice}, with different labels", wrong, _chosen(copies, at_odds)),
        *finding("images", "copies", f"{twice}, with the same label", again, _chosen(copies, at_odds, which=False)),
        *finding("labels", "look-alikes-at-odds", f"{similar}, with different labels", look, _chosen(alike, differ)),
        *finding("images", "look-alikes", f"{similar}, with the same label", look, _chosen(alike, differ, which=False)),
    ]


def _several(values: pd.Series) -> bool:
    return len(set(values.dropna())) > 1


def differing(first: NDArray[np.object_], second: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell where both labels are known and differ."""
    import numpy as np
    import pandas as pd

    return np.asarray(pd.notna(first) & pd.notna(second) & (first != second))


def _chosen(names: list[str], marks: Iterable[bool], *, which: bool = True) -> list[str]:
    return [name for name, mark in zip(names, marks, strict=True) if mark == which]


def _label_findings(dataset: Dataset) -> list[Finding]:
    counts = dataset.objects["taxon"].value_counts()
    tiny = counts[counts < FEWEST_OBJECTS]
    small = counts[(counts >= FEWEST_OBJECTS) & (counts < SMALL_CLASS)]
    return [
        *finding(
            "labels", "class-too-small", f"taxa of fewer than {FEWEST_OBJECTS} objects",
            "They cannot be in train, valid and test, nor in three folds, and are left out.", _counted(tiny),
        ),
        *finding(
            "labels", "class-small", f"taxa of fewer than {SMALL_CLASS} objects",
            "A hold-out tests them on three objects or fewer: their F1 is mostly chance.", _counted(small),
        ),
    ]  # fmt: skip


def _counted(counts: pd.Series) -> list[str]:
    return [f"{taxon} {count}" for taxon, count in counts.items()]


def _split_findings(
    dataset: Dataset, images: pd.DataFrame | None, pairs: pd.DataFrame | None
) -> tuple[str, list[Finding]]:
    """Look for copies and samples on two sides of the published split, or of the default hold-out where none is."""
    published = {SET_NAMES.get(str(name).strip().lower()) for name in dataset.objects["set"].dropna().unique()}
    plan = SplitPlan(kind="published" if {"train", "test"} <= published else "holdout")
    try:
        split = make_splits(dataset, plan, 0)[0]
    except DataError as fault:
        return "", finding("split", "no-split", "splits that cannot be made", str(fault), [plan.name])
    part = split.table.set_index("object_id")["part"]
    findings = [] if images is None or pairs is None else _copies_across(images, pairs, part, split.name)
    samples = split.table.dropna(subset="sample").groupby("sample")["part"].nunique()
    advice = "Objects of a sample are alike: use --split grouped-holdout."
    findings += finding(
        "split", "samples-across", f"samples on several sides of {split.name}", advice, samples.index[samples > 1]
    )
    return split.name, findings


def _copies_across(images: pd.DataFrame, pairs: pd.DataFrame, part: pd.Series, split: str) -> list[Finding]:
    sides = images["object_id"].map(part)
    groups = [group for group in same_pixels(images) if _several(sides[group.index])]
    across = sides.to_numpy(object)
    apart = pairs[differing(across[pairs["first"]], across[pairs["second"]])]
    members = images["member"].to_numpy()
    alike = [f"{members[one]} ~ {members[two]}" for one, two in zip(apart["first"], apart["second"], strict=True)]
    learnt = "What is tested was learnt from; keep one of each."
    return [
        *finding(
            "split", "copies-across", f"images that occur on several sides of {split}", learnt,
            [" = ".join(group["member"]) for group in groups],
        ),
        *finding(
            "split", "look-alikes-across", f"pairs of images that look alike on two sides of {split}",
            "Candidates: look at them; what is tested may have been learnt from.", alike,
        ),
    ]  # fmt: skip


def _feature_findings(native: pd.DataFrame, alone: pd.Series) -> list[Finding]:
    low, high, missing = native.min(), native.max(), native.isna().mean()
    holes = missing[(missing > 0) & (missing < 1)].sort_values(ascending=False, kind="stable")
    leaks = suspicious(alone)
    median = f"{alone.median():.2f}" if len(alone) else "none"
    best = f"features that alone recognise the taxa far better than the others (balanced accuracy; median {median})"
    return [
        *finding("features", "empty", "features without any value", "They are dropped.", native.columns[missing == 1]),
        *finding("features", "constant", "constant features", "They are dropped.", native.columns[low == high]),
        *finding(
            "features", "missing", "features with missing values", "They stay missing.",
            [f"{name} {share:.2%}" for name, share in holes.items()],
        ),
        *finding(
            "features", "leak", best,
            "Do they give the label away? If so, list them under never_features in the manifest.",
            [f"{name} {score:.2f}" for name, score in leaks.items()],
        ),
    ]  # fmt: skip
