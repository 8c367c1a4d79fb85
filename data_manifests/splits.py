"""Splits: which object is in train, valid and test, by scikit-learn, named and versioned.

A split depends on the canonical ids, the taxa, the samples and a derived seed, never on the order of rows in a file.
"""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError, model_validator

from .errors import DataError, SuiteError, did_you_mean, listed
from .files.yaml_files import Schema
from .notes import Note, note
from .seeds import derived_seed32
from .subsets import SET_NAMES, SUBSETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from .dataset import Dataset

VERSION = "v1"
FEWEST_OBJECTS = 3  # one for each part
DEFAULT_SHARE = 0.15
OVERSHOOT = 1.25  # of its share, at most, when whole samples are drawn
FINE_FOLDS = 20  # grouped shares come in steps of one twentieth


class SplitPlan(Schema):
    """How to split.

    Attributes:
        kind: `holdout`, `kfold`, or `published` (the files' own `set` column).
        test: share of objects in test, for a hold-out.
        valid: share of all objects in valid.
        folds: number of folds of a k-fold.
        grouped: no sample on two sides.

    """

    kind: Literal["holdout", "kfold", "published"] = "holdout"
    test: float = Field(DEFAULT_SHARE, gt=0, lt=0.5)
    valid: float = Field(DEFAULT_SHARE, gt=0, lt=0.5)
    folds: int = Field(3, ge=2, le=20)
    grouped: bool = False

    @model_validator(mode="after")
    def _nothing_without_meaning(self) -> SplitPlan:
        if self.kind == "published" and self.grouped:
            message = "a published split is taken as it is; grouped does not apply"
            raise ValueError(message)
        if self.kind != "holdout" and "test" in self.model_fields_set:
            message = f"a test share does not apply to {self.kind}"
            raise ValueError(message)
        return self

    @property
    def name(self) -> str:
        """Stable name of the plan without version, such as `holdout`, `grouped-kfold5`, `holdout-t20-v10`."""
        text = {"holdout": "holdout", "kfold": f"kfold{self.folds}", "published": "published"}[self.kind]
        shares = "" if self.kind != "holdout" or self.test == DEFAULT_SHARE else f"-t{self.test * 100:g}"
        shares += "" if self.valid == DEFAULT_SHARE else f"-v{self.valid * 100:g}"
        return ("grouped-" if self.grouped else "") + text + shares

    def split_names(self) -> list[str]:
        """Names of the splits that the plan makes: one, or one for each fold."""
        base = f"{self.name}.{VERSION}"
        return [f"{base}-fold{fold}" for fold in range(self.folds)] if self.kind == "kfold" else [base]


def parse_split(name: str) -> SplitPlan:
    """Read a split's name: `holdout`, `grouped-holdout`, `kfold3`, `published`, `holdout-t20-v10`.

    Raises:
        SuiteError: the name cannot be read; near matches are told.

    """
    pattern = r"(grouped-)?(holdout|kfold(\d+)|published)(?:-t([\d.]+))?(?:-v([\d.]+))?"
    found = re.fullmatch(pattern, name.removesuffix(f".{VERSION}"))
    if found is None:
        known = ["holdout", "grouped-holdout", "kfold3", "grouped-kfold3", "published"]
        message = f"There is no split named '{name}'. {did_you_mean(name, known)}"
        raise SuiteError(message)
    grouped, kind, folds, test, valid = found.groups()
    asked = {
        "kind": "kfold" if folds else kind,
        "test": test and f"{test}e-2",
        "valid": valid and f"{valid}e-2",
        "folds": folds,
        "grouped": bool(grouped),
    }
    try:
        return SplitPlan.model_validate({key: value for key, value in asked.items() if value is not None})
    except ValidationError as fault:
        reasons = "; ".join(str(detail["msg"]) for detail in fault.errors())
        message = (
            f"Split '{name}' is not possible: shares lie between 0 and 50 %, folds between 2 and 20, "
            f"and a test share belongs to a holdout. ({reasons})"
        )
        raise SuiteError(message) from fault


@dataclass(frozen=True)
class Split:
    """One split of a data set.

    Attributes:
        name: such as `holdout.v1` or `kfold3.v1-fold0`.
        seed: the seed it was asked for with.
        table: columns object_id, part (train, valid, test), taxon, sample, lineage, sorted by object_id.
        notes: classes and objects that were left out, with the rule.

    """

    name: str
    seed: int
    table: pd.DataFrame
    notes: tuple[Note, ...]

    def ids(self, part: str) -> pd.Series:
        """Return the object_ids of a part, sorted."""
        return self.table.loc[self.table["part"] == part, "object_id"].reset_index(drop=True)

    def count(self, part: str) -> int:
        """Count the objects of a part."""
        return int((self.table["part"] == part).sum())


def make_splits(dataset: Dataset, plan: SplitPlan, seed: int) -> list[Split]:
    """Split a data set: one split, or one for each fold.

    Classes with fewer than three objects are left out and listed, since they cannot stand in each part.

    Raises:
        DataError: nothing is left to split, there is no sample or `set` column where the plan needs one, or samples
            are too few.

    """
    objects, notes = _classes_large_enough(dataset)
    splitter = {"holdout": _holdout, "kfold": _kfold, "published": _published}[plan.kind]
    task = _Task(dataset.name, plan, seed, objects)
    with _told_by_scikit_learn(task):
        parts = list(splitter(task))
        if any(set(found) != set(SUBSETS) for found in parts):
            message = "a part would be empty"
            raise ValueError(message)
    return [
        Split(name, seed, _table(objects, found), notes) for name, found in zip(plan.split_names(), parts, strict=True)
    ]


def _classes_large_enough(dataset: Dataset) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    objects = dataset.objects
    counts = objects["taxon"].value_counts()
    small = counts[counts < FEWEST_OBJECTS].sort_index()
    kept = objects[~objects["taxon"].isin(small.index)].reset_index(drop=True)
    if kept["taxon"].nunique() < 2:  # noqa: PLR2004 - with one class there is nothing to tell apart
        message = (
            f"{dataset.folder}: fewer than two taxa have {FEWEST_OBJECTS} objects or more "
            f"({listed(f'{taxon}: {count}' for taxon, count in counts.items())}); nothing can be compared."
        )
        raise DataError(message)
    text = f"classes have fewer than {FEWEST_OBJECTS} objects: left out with their {int(small.sum())} objects"
    return kept, tuple(note("small-class", text, small.index))


@dataclass(frozen=True)
class _Task:
    """What a splitter works on; `draw` names the draw, so that each has a seed of its own."""

    dataset: str
    plan: SplitPlan
    seed: int
    objects: pd.DataFrame

    def seed_for(self, draw: str) -> int:
        return derived_seed32(data_set=self.dataset, split=self.plan.name, seed=self.seed, purpose=f"split-{draw}")

    def samples(self) -> NDArray[np.object_]:
        """Return the sample of each object; all must have one, and there must be a few."""
        samples = self.objects["sample"]
        if samples.isna().any() or samples.nunique() < FEWEST_OBJECTS:
            message = (
                f"A grouped split needs every object's sample, and {FEWEST_OBJECTS} samples or more; "
                f"'{self.dataset}' has {samples.nunique()} (objects without one: {int(samples.isna().sum()):,}). "
                "Use a split that is not grouped, or name the grouping columns in the manifest."
            )
            raise DataError(message)
        return samples.to_numpy(dtype=object)


def _holdout(task: _Task) -> Iterator[NDArray[np.object_]]:
    """Yield the parts of a hold-out: test first, then valid from the rest."""
    parts = _all_train(task)
    everything = _positions(task)
    test = _take(task, everything, task.plan.test, "test")
    parts[test] = "test"
    yield _with_valid(task, parts, "valid")


def _with_valid(task: _Task, parts: NDArray[np.object_], draw: str) -> NDArray[np.object_]:
    """Draw validation objects from train: a share of all objects."""
    rest = _positions(task)[parts == "train"]
    parts[_take(task, rest, task.plan.valid * len(parts) / len(rest), draw)] = "valid"
    return parts


def _kfold(task: _Task) -> Iterator[NDArray[np.object_]]:
    """Yield the parts of each fold: the fold is test, valid is drawn from the others."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind = StratifiedGroupKFold if task.plan.grouped else StratifiedKFold
    folds = kind(task.plan.folds, shuffle=True, random_state=task.seed_for("folds"))
    groups = task.samples() if task.plan.grouped else None
    everything = _positions(task)
    taxa = task.objects["taxon"].to_numpy(dtype=object)
    for fold, (_, test) in enumerate(folds.split(everything, taxa, groups)):
        parts = _all_train(task)
        parts[test] = "test"
        yield _with_valid(task, parts, f"valid-{fold}")


def _published(task: _Task) -> Iterator[NDArray[np.object_]]:
    """Yield the parts that the files state; valid is drawn from train when they state none."""
    stated = task.objects["set"]
    parts = stated.str.strip().str.lower().map(SET_NAMES)
    if parts.isna().any():
        strange = sorted(set(stated[parts.isna()].fillna("(empty)")))
        message = (
            f"A published split needs a 'set' column with {', '.join(sorted(SET_NAMES))} in each row; "
            f"'{task.dataset}' has {listed(strange)} in {int(parts.isna().sum()):,} rows. Use --split holdout."
        )
        raise DataError(message)
    found = parts.to_numpy(dtype=object)
    for part in ("train", "test"):
        if part not in found:
            message = f"The published split of '{task.dataset}' has no {part} rows. Use --split holdout."
            raise DataError(message)
    yield found if "valid" in found else _with_valid(task, found, "valid")


def _take(task: _Task, positions: NDArray[np.intp], share: float, draw: str) -> NDArray[np.intp]:
    """Draw a share of these positions, stratified by taxon and, when the plan says so, whole samples only."""
    return (
        _take_samples(task, positions, share, draw)
        if task.plan.grouped
        else _take_objects(task, positions, share, draw)
    )


def _take_objects(task: _Task, positions: NDArray[np.intp], share: float, draw: str) -> NDArray[np.intp]:
    """Draw objects; a taxon of which one object is left stays where it is."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    taxa = task.objects["taxon"].to_numpy(dtype=object)[positions]
    _, codes, counts = np.unique(taxa, return_inverse=True, return_counts=True)
    drawn = positions[counts[codes] > 1]
    _, taken = train_test_split(
        drawn,
        test_size=round(share * len(positions)),
        stratify=task.objects["taxon"].to_numpy(dtype=object)[drawn],
        random_state=task.seed_for(draw),
    )
    return np.asarray(taken)


def _take_samples(task: _Task, positions: NDArray[np.intp], share: float, draw: str) -> NDArray[np.intp]:
    """Draw whole samples: those of twenty stratified folds (fewer when samples or taxa are few) that make up the share.

    A fold is taken when it brings the number of objects nearer to the share and does not go far beyond it, so that a
    very large sample stays in train; some folds are always left for the other parts.
    """
    import numpy as np
    from sklearn.model_selection import StratifiedGroupKFold

    taxa = task.objects["taxon"].to_numpy(dtype=object)[positions]
    groups = task.samples()[positions]
    largest = int(np.unique(taxa, return_counts=True)[1].max())
    splitter = StratifiedGroupKFold(
        min(FINE_FOLDS, len(set(groups)), largest), shuffle=True, random_state=task.seed_for(draw)
    )
    folds = [fold for _, fold in splitter.split(positions, taxa, groups) if len(fold)]
    others = 2 if draw == "test" else 1  # parts that are still to come
    wanted, taken = share * len(positions), [min(folds, key=len)]
    for fold in folds:
        before, after = sum(map(len, taken)), sum(map(len, taken)) + len(fold)
        nearer = abs(after - wanted) < abs(before - wanted) and after < OVERSHOOT * wanted
        if nearer and fold is not taken[0] and len(taken) < len(folds) - others:
            taken.append(fold)
    return np.asarray(positions[np.concatenate(taken)])


@contextmanager
def _told_by_scikit_learn(task: _Task) -> Iterator[None]:
    """Turn scikit-learn's refusal into a message; its warning about rare classes is silent, the report lists them."""
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            yield
    except ValueError as fault:
        samples = f"{task.objects['sample'].nunique()} samples, " if task.plan.grouped else ""
        message = (
            f"'{task.dataset}' has {samples}{len(task.objects):,} objects of {task.objects['taxon'].nunique()} taxa "
            f"(the smallest has {task.objects['taxon'].value_counts().min()}): too few for split '{task.plan.name}'. "
            f"Use other shares, fewer folds, or more objects. ({fault})"
        )
        raise DataError(message) from fault


def _all_train(task: _Task) -> NDArray[np.object_]:
    import numpy as np

    return np.full(len(task.objects), "train", dtype=object)


def _positions(task: _Task) -> NDArray[np.intp]:
    import numpy as np

    return np.arange(len(task.objects))


def _table(objects: pd.DataFrame, parts: NDArray[np.object_]) -> pd.DataFrame:
    table = objects[["object_id", "taxon", "sample", "lineage"]].copy()
    table.insert(1, "part", parts)
    return table.astype("str")
