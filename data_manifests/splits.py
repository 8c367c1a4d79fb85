"""Named and versioned splits into train, valid and test, by scikit-learn.

A split depends on the canonical ids, the taxa, the samples and a derived seed, but not on the order of rows in files.
Objects of withheld classes are divided like all others, and then left out of train and valid, so that withholding
classes does not change the test objects.
"""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from .class_selection.selection import FEWEST_CLASSES
from .errors import DataError, SuiteError, did_you_mean, listed
from .files.tables import table_sha256
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
FEWEST_OBJECTS = 3  # one for each subset
DEFAULT_SHARE = 0.15
OVERSHOOT = 1.25  # largest ratio of drawn to requested objects if whole samples are drawn
FINE_FOLDS = 20  # grouped shares are multiples of about one twentieth


class SplitPlan(Schema):
    """Options of a split.

    Attributes:
        kind: `holdout`, `kfold`, or `published` (the files' own `set` column).
        test: share of objects in test, for a hold-out.
        valid: share of all objects in valid.
        folds: number of folds, for a k-fold.
        only_folds: numbers of the folds that are used, from 0; None for all. The others keep their objects.
        grouped: keep the objects of a sample in the same subset.

    """

    kind: Literal["holdout", "kfold", "published"] = "holdout"
    test: float = Field(DEFAULT_SHARE, gt=0, lt=0.5)
    valid: float = Field(DEFAULT_SHARE, gt=0, lt=0.5)
    folds: int = Field(3, ge=2, le=20)
    only_folds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] | None = None
    grouped: bool = False

    @model_validator(mode="after")
    def _check_applicable(self) -> SplitPlan:
        if self.kind == "published" and self.grouped:
            message = "a published split is used unchanged; grouped does not apply"
            raise ValueError(message)
        if self.kind != "holdout" and "test" in self.model_fields_set:
            message = f"a test share does not apply to {self.kind}"
            raise ValueError(message)
        self._check_only_folds()
        return self

    def _check_only_folds(self) -> None:
        chosen = self.only_folds
        if chosen is None:
            return
        if self.kind != "kfold":
            message = f"only_folds does not apply to {self.kind}"
            raise ValueError(message)
        if len(set(chosen)) < len(chosen) or max(chosen) >= self.folds:
            message = f"only_folds is {list(chosen)}; expected distinct numbers from 0 to {self.folds - 1}"
            raise ValueError(message)

    @property
    def name(self) -> str:
        """Stable name of the plan without version, such as `holdout`, `grouped-kfold5`, `holdout-t20-v10`.

        It does not depend on the folds that are used, since each is the same split either way.
        """
        text = {"holdout": "holdout", "kfold": f"kfold{self.folds}", "published": "published"}[self.kind]
        shares = "" if self.kind != "holdout" or self.test == DEFAULT_SHARE else f"-t{self.test * 100:g}"
        shares += "" if self.valid == DEFAULT_SHARE else f"-v{self.valid * 100:g}"
        return ("grouped-" if self.grouped else "") + text + shares

    @property
    def used_folds(self) -> list[int]:
        """Numbers of the folds that are used, in increasing order; of a k-fold."""
        return sorted(range(self.folds) if self.only_folds is None else self.only_folds)

    def split_names(self) -> list[str]:
        """Names of the splits of the plan: one, or one for each fold that is used."""
        base = f"{self.name}.{VERSION}"
        return [f"{base}-fold{fold}" for fold in self.used_folds] if self.kind == "kfold" else [base]


def parse_split(name: str) -> SplitPlan:
    """Parse the name of a split, such as `grouped-holdout`, `holdout-t20-v10`, `published`, `kfold3` or `kfold3-fold0`.

    Raises:
        SuiteError: the name is invalid; near matches are suggested.

    """
    pattern = r"(grouped-)?(holdout|kfold(\d+)|published)(?:-t([\d.]+))?(?:-v([\d.]+))?"
    match = re.fullmatch(rf"{pattern}(?:\.{VERSION})?(?:-fold(\d+))?", name)
    if match is None:
        known = ["holdout", "grouped-holdout", "kfold3", "kfold3-fold0", "grouped-kfold3", "published"]
        message = f"There is no split named '{name}'. {did_you_mean(name, known)}"
        raise SuiteError(message)
    grouped, kind, folds, test, valid, fold = match.groups()
    options = {
        "kind": "kfold" if folds else kind,
        "test": test and f"{test}e-2",
        "valid": valid and f"{valid}e-2",
        "folds": folds,
        "only_folds": fold and [fold],
        "grouped": bool(grouped),
    }
    try:
        return SplitPlan.model_validate({key: value for key, value in options.items() if value is not None})
    except ValidationError as error:
        reasons = "; ".join(str(detail["msg"]) for detail in error.errors())
        message = (
            f"Split '{name}' is not possible: shares must be between 0 and 50 %, folds between 2 and 20, numbered "
            f"from 0, and a test share only applies to a holdout. ({reasons})"
        )
        raise SuiteError(message) from error


@dataclass(frozen=True)
class Split:
    """One split of a data set.

    Attributes:
        name: name with version, such as `holdout.v1` or `kfold3.v1-fold0`.
        seed: the seed requested.
        table: columns object_id, part (train, valid, test), taxon, sample, lineage, sorted by object_id; without the
            objects of withheld classes that are not in test.
        notes: notes on classes and objects left out.

    """

    name: str
    seed: int
    table: pd.DataFrame
    notes: tuple[Note, ...]

    @cached_property
    def sha256(self) -> str:
        """Hash of the table."""
        return table_sha256(self.table)

    def ids(self, subset: str) -> pd.Series:
        """Return the object_ids of a subset, sorted."""
        return self.table.loc[self.table["part"] == subset, "object_id"].reset_index(drop=True)

    def count(self, subset: str) -> int:
        """Return the number of objects of a subset."""
        return int((self.table["part"] == subset).sum())


def make_splits(dataset: Dataset, plan: SplitPlan, seed: int) -> list[Split]:
    """Split a data set into train, valid and test, once or for each fold.

    Classes with fewer than three objects cannot occur in every subset; they are left out and noted. Objects of withheld
    classes are in no subset but test.

    Raises:
        DataError: there are too few objects, classes or samples, the plan needs a sample or `set` column that is
            missing, or a withheld class has no test objects.

    """
    objects, notes = _classes_large_enough(dataset)
    splitter = {"holdout": _holdout, "kfold": _kfold, "published": _published}[plan.kind]
    task = _Task(dataset.split_name, plan, seed, objects)
    with _scikit_learn_errors(task):
        tables = [_table(objects, subsets, dataset.withheld) for subsets in splitter(task)]
        if any(set(table["part"]) != set(SUBSETS) for table in tables):
            message = "a subset would be empty"
            raise ValueError(message)
    _check_withheld(task, dataset.withheld, tables)
    return [Split(name, seed, table, notes) for name, table in zip(plan.split_names(), tables, strict=True)]


def _check_withheld(task: _Task, withheld: tuple[str, ...], tables: list[pd.DataFrame]) -> None:
    """Check that each withheld class has test objects in at least one of the splits.

    Raises:
        DataError: one has none; the message has its number of objects.

    """
    tested = set().union(*(table.loc[table["part"] == "test", "taxon"] for table in tables))
    counts = task.objects["taxon"].value_counts()
    untested = [f"{taxon} ({counts.get(taxon, 0):,} objects)" for taxon in withheld if taxon not in tested]
    if untested:
        message = (
            f"'{task.dataset}' has no test objects of withheld classes under split '{task.plan.name}' with seed "
            f"{task.seed}: {listed(untested)}; classes with fewer than {FEWEST_OBJECTS} objects are left out. Expected "
            "some of each; withhold larger classes, or use another split."
        )
        raise DataError(message)


def _classes_large_enough(dataset: Dataset) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    objects = dataset.objects
    counts = objects["taxon"].value_counts()
    small = counts[counts < FEWEST_OBJECTS].sort_index()
    remaining = objects[~objects["taxon"].isin(small.index)].reset_index(drop=True)
    if len({*remaining["taxon"]}.difference(dataset.withheld)) < FEWEST_CLASSES:
        besides = f" besides {len(dataset.withheld)} withheld ones" if dataset.withheld else ""
        message = (
            f"{dataset.folder}: fewer than two taxa have at least {FEWEST_OBJECTS} objects{besides} "
            f"({listed(f'{taxon}: {count}' for taxon, count in counts.items())}); a split needs two."
        )
        raise DataError(message)
    text = f"classes have fewer than {FEWEST_OBJECTS} objects: left out with their {int(small.sum())} objects"
    return remaining, tuple(note("small-class", text, small.index))


@dataclass(frozen=True)
class _Task:
    """Input of a splitter; each draw has its own seed, derived from its name."""

    dataset: str
    plan: SplitPlan
    seed: int
    objects: pd.DataFrame

    def seed_for(self, draw: str) -> int:
        return derived_seed32(data_set=self.dataset, split=self.plan.name, seed=self.seed, purpose=f"split-{draw}")

    def samples(self) -> NDArray[np.object_]:
        """Return the sample of each object, after checking that none is missing and that there are enough samples."""
        samples = self.objects["sample"]
        if samples.isna().any() or samples.nunique() < FEWEST_OBJECTS:
            message = (
                f"A grouped split needs a sample for every object and at least {FEWEST_OBJECTS} samples; "
                f"'{self.dataset}' has {samples.nunique()} (objects without one: {int(samples.isna().sum()):,}). "
                "Use an ungrouped split, or name the grouping columns in the manifest."
            )
            raise DataError(message)
        return samples.to_numpy(dtype=object)


def _holdout(task: _Task) -> Iterator[NDArray[np.object_]]:
    """Yield the subset of each object in a hold-out: test is drawn first, then valid from the rest."""
    subsets = _all_train(task)
    test = _draw(task, _positions(task), task.plan.test, "test")
    subsets[test] = "test"
    yield _with_valid(task, subsets, "valid")


def _with_valid(task: _Task, subsets: NDArray[np.object_], draw: str) -> NDArray[np.object_]:
    """Move a share of all objects from train to valid, in place."""
    rest = _positions(task)[subsets == "train"]
    subsets[_draw(task, rest, task.plan.valid * len(subsets) / len(rest), draw)] = "valid"
    return subsets


def _kfold(task: _Task) -> Iterator[NDArray[np.object_]]:
    """Yield the subset of each object for every fold: the fold is test, valid is drawn from the other folds."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind = StratifiedGroupKFold if task.plan.grouped else StratifiedKFold
    folds = kind(task.plan.folds, shuffle=True, random_state=task.seed_for("folds"))
    groups = task.samples() if task.plan.grouped else None
    taxa = task.objects["taxon"].to_numpy(dtype=object)
    for fold, (_, test) in enumerate(folds.split(_positions(task), taxa, groups)):
        if fold not in task.plan.used_folds:
            continue
        subsets = _all_train(task)
        subsets[test] = "test"
        yield _with_valid(task, subsets, f"valid-{fold}")


def _published(task: _Task) -> Iterator[NDArray[np.object_]]:
    """Yield the published subset of each object; valid is drawn from train if it is not published.

    If no sample is in both train and test, whole samples are drawn, so that validation rows are as new as test rows.
    """
    published = task.objects["set"]
    known = published.str.strip().str.lower().map(SET_NAMES)
    if known.isna().any():
        unknown = sorted(set(published[known.isna()].fillna("(empty)")))
        message = (
            f"A published split needs a 'set' column with {', '.join(sorted(SET_NAMES))} in each row; "
            f"'{task.dataset}' has {listed(unknown)} in {int(known.isna().sum()):,} rows. Use --split holdout."
        )
        raise DataError(message)
    subsets = known.to_numpy(dtype=object)
    for subset in ("train", "test"):
        if subset not in subsets:
            message = f"The published split of '{task.dataset}' has no {subset} rows. Use --split holdout."
            raise DataError(message)
    yield subsets if "valid" in subsets else _with_valid(_keeping_samples(task, subsets), subsets, "valid")


def _keeping_samples(task: _Task, subsets: NDArray[np.object_]) -> _Task:
    """Return the task, with a grouped plan if samples are known and these subsets keep them together."""
    samples = task.objects["sample"]
    train = set(samples[subsets == "train"])
    if samples.isna().any() or len(train) < FEWEST_OBJECTS or not train.isdisjoint(samples[subsets == "test"]):
        return task
    return replace(task, plan=task.plan.model_copy(update={"grouped": True}))


def _draw(task: _Task, positions: NDArray[np.intp], share: float, draw: str) -> NDArray[np.intp]:
    """Draw a share of these positions, stratified by taxon; whole samples for a grouped plan."""
    return (
        _draw_samples(task, positions, share, draw)
        if task.plan.grouped
        else _draw_objects(task, positions, share, draw)
    )


def _draw_objects(task: _Task, positions: NDArray[np.intp], share: float, draw: str) -> NDArray[np.intp]:
    """Draw single objects; taxa with only one object among the positions are excluded."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    taxa = task.objects["taxon"].to_numpy(dtype=object)[positions]
    _, codes, counts = np.unique(taxa, return_inverse=True, return_counts=True)
    eligible = positions[counts[codes] > 1]
    _, drawn = train_test_split(
        eligible,
        test_size=round(share * len(positions)),
        stratify=task.objects["taxon"].to_numpy(dtype=object)[eligible],
        random_state=task.seed_for(draw),
    )
    return np.asarray(drawn)


def _draw_samples(task: _Task, positions: NDArray[np.intp], share: float, draw: str) -> NDArray[np.intp]:
    """Draw whole samples as a subset of twenty stratified folds (fewer if there are few samples or objects per taxon).

    A fold is drawn if it brings the number of objects closer to the share without exceeding it by far, so that a very
    large sample stays in train. Enough folds remain for the other subsets.
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
    others = 2 if draw == "test" else 1  # subsets that still need a fold
    target, drawn = share * len(positions), [min(folds, key=len)]
    for fold in folds:
        before, after = sum(map(len, drawn)), sum(map(len, drawn)) + len(fold)
        closer = abs(after - target) < abs(before - target) and after < OVERSHOOT * target
        if closer and fold is not drawn[0] and len(drawn) < len(folds) - others:
            drawn.append(fold)
    return np.asarray(positions[np.concatenate(drawn)])


@contextmanager
def _scikit_learn_errors(task: _Task) -> Iterator[None]:
    """Convert errors of scikit-learn; ignore its warnings about rare classes, which the report lists."""
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            yield
    except ValueError as error:
        samples = f"{task.objects['sample'].nunique()} samples, " if task.plan.grouped else ""
        message = (
            f"'{task.dataset}' has {samples}{len(task.objects):,} objects of {task.objects['taxon'].nunique()} taxa "
            f"(the smallest has {task.objects['taxon'].value_counts().min()}): too few for split '{task.plan.name}'. "
            f"Use other shares, fewer folds, or more objects. ({error})"
        )
        raise DataError(message) from error


def _all_train(task: _Task) -> NDArray[np.object_]:
    import numpy as np

    return np.full(len(task.objects), "train", dtype=object)


def _positions(task: _Task) -> NDArray[np.intp]:
    import numpy as np

    return np.arange(len(task.objects))


def _table(objects: pd.DataFrame, subsets: NDArray[np.object_], withheld: tuple[str, ...]) -> pd.DataFrame:
    """Return the table of a split, without the objects of withheld classes that are not in test."""
    table = objects[["object_id", "taxon", "sample", "lineage"]].copy()
    table.insert(1, "part", subsets)
    kept = table[(table["part"] == "test") | ~table["taxon"].isin(withheld)]
    return kept.reset_index(drop=True).astype("str")
