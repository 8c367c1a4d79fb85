"""Evaluation of predictions: score with interval, n and signature."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..._version import __version__
from ...data_manifests.errors import SubmissionError, did_you_mean, listed
from ...data_manifests.files.tables import canonical_text
from ...data_manifests.seeds import derived_seed
from ..run_files.predictions import Labels, check_unique, match, read_classes, read_labels
from .intervals import Intervals, class_table, intervals
from .metrics import METRICS, totals_of
from .signature import Signature, rows_sha256
from .units import Units, count_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

DRAWS = 2000
OTHER = "(other)"


@dataclass(frozen=True)
class Context:
    """Origin of the scored rows, for the signature.

    Attributes:
        data: name of the data set or truth file.
        data_sha256: hash of its files; None uses the hash of the truth table.
        manifest_sha256: hash of its manifest; empty if there is none.
        split: name of the split.
        task: name of the task, if it is not classification; else empty.
        selected: classes that were selected, as in the signature; empty if all classes of the data set are used.
        withheld: classes that were withheld, as in the signature; empty if there are none.
        manifest: name of the manifest, if it is not that of the data set; else empty. It is not in the signature.

    """

    data: str = "given"
    data_sha256: str | None = None
    manifest_sha256: str = ""
    split: str = "given"
    task: str = ""
    selected: str = ""
    withheld: str = ""
    manifest: str = ""


@dataclass(frozen=True)
class Score:
    """Score of predictions: values, interval, n, and the signature of all settings.

    Attributes:
        macro_f1: mean of F1 over the classes with support.
        macro_f1_interval: 95 % jackknife interval of the expected macro F1 on test sets of this size.
        macro_f1_percentile: 95 % percentile interval of the bootstrap, for comparison.
        bootstrap_bias: mean macro F1 over the draws of the bootstrap minus macro F1.
        accuracy: share of correctly predicted objects.
        accuracy_interval: 95 % interval of a proportion of clustered objects.
        balanced_accuracy: mean recall over the classes with support; the same as macro_recall.
        macro_precision: mean precision over the classes with support.
        macro_recall: mean recall over the classes with support.
        n_objects: number of scored rows.
        n_clusters: number of resampling units: samples, or objects if there are none.
        classes_scored: number of classes with support.
        classes_absent: classes of the list without support, sorted.
        names_unknown: predicted names that are not in the class list, sorted; they count as errors.
        draws_losing_a_class: share of draws in which a class had no support and was excluded from the mean.
        per_class: table of taxon, precision, recall, f1, support, and the 95 % intervals precision_lo, precision_hi,
            recall_lo, recall_hi, f1_lo, f1_hi; classes with support, sorted by name.
        confusion: counts, rows truth, columns predicted, both in the order of the class list; the last column counts
            other names, if there are any.
        signature: all settings that can change the numbers.

    """

    macro_f1: float
    macro_f1_interval: tuple[float, float]
    macro_f1_percentile: tuple[float, float]
    bootstrap_bias: float
    accuracy: float
    accuracy_interval: tuple[float, float]
    balanced_accuracy: float
    macro_precision: float
    macro_recall: float
    n_objects: int
    n_clusters: int
    classes_scored: int
    classes_absent: tuple[str, ...]
    names_unknown: tuple[str, ...]
    draws_losing_a_class: float
    per_class: pd.DataFrame
    confusion: pd.DataFrame
    signature: str

    def __str__(self) -> str:
        """Return value, interval, n and signature in one line."""
        low, high = self.macro_f1_interval
        return f"macro F1 {self.macro_f1:.4f} [{low:.4f}, {high:.4f}], n = {self.n_objects:,}; {self.signature}"

    def to_json(self) -> dict[str, Any]:
        """Return the score as plain values, without the confusion matrix; NaN is None."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "confusion"}
        rows = self.per_class.astype(object).where(self.per_class.notna(), None).to_dict("records")
        return {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()} | {
            "per_class": rows
        }


def score(  # noqa: PLR0913 - keyword settings, all of them in the signature
    truth: str | Path | pd.DataFrame | ArrayLike,
    predicted: str | Path | pd.DataFrame | ArrayLike,
    *,
    classes: str | Path | Sequence[str] | None = None,
    group: str | ArrayLike | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    context: Context | None = None,
) -> Score:
    """Score predictions.

    Args:
        truth: a file or table with object_id, taxon and optionally a grouping column, or labels of shape (n_objects,).
        predicted: likewise, with object_id and taxon; labels in the same order if truth is labels.
        classes: class list, or a text file with one name per line; None uses the classes of the truth. With a list,
            unknown predicted names raise an error; without, they count as wrong predictions and are listed.
        group: name of the grouping column, or its values if truth is labels; None uses `sample` if present.
        draws: number of resamples of the bootstrap.
        seed: seed of the resampling.
        context: data set and split, for the signature.

    Raises:
        SubmissionError: a table is unreadable or incomplete, ids do not match, or a class name is unknown.

    Example:
        >>> score(["a", "a", "b"], ["a", "b", "b"]).accuracy
        0.6666666666666666

    """
    if draws < 1:
        message = f"draws is {draws}; expected a number of resamples, 1 or more."
        raise SubmissionError(message)
    known, (submitted,) = read_submitted(truth, [predicted], group)
    names = read_classes(Path(classes)) if isinstance(classes, (str, Path)) else classes
    if context is None:
        context = Context(data=Path(known.where).name.strip("()"))
    return score_labels(known, submitted, names, draws=draws, seed=seed, context=context)


def read_submitted(
    truth: str | Path | pd.DataFrame | ArrayLike,
    predicted: Sequence[str | Path | pd.DataFrame | ArrayLike],
    group: str | ArrayLike | None,
) -> tuple[Labels, list[Labels]]:
    """Read truth and predictions as for `score`: all tables with ids, or all labels in the same order.

    Raises:
        SubmissionError: they are not all tables or all labels, or cannot be read.

    """
    if isinstance(truth, (str, Path, pd.DataFrame)):
        known = read_labels(truth, "truth", _column_name(group))
        return known, [read_labels(_table_like(one), "predictions") for one in predicted]
    pairs = [_aligned(truth, one, group) for one in predicted]
    return pairs[0][0], [labels for _, labels in pairs]


def _column_name(group: object) -> str | None:
    if group is None or isinstance(group, str):
        return group
    message = f"group is {type(group).__name__}; expected the name of a column of the truth table."
    raise SubmissionError(message)


def _table_like(predicted: object) -> str | Path | pd.DataFrame:
    if isinstance(predicted, (str, Path, pd.DataFrame)):
        return predicted
    message = (
        f"predictions are {type(predicted).__name__}; expected a file or table of object_id, taxon, like the truth."
    )
    raise SubmissionError(message)


def _aligned(truth: object, predicted: object, group: object) -> tuple[Labels, Labels]:
    """Return labels as tables with the position as id."""
    if isinstance(group, str):
        message = f"group is '{group}'; expected the group of each object, since the truth is a list of labels."
        raise SubmissionError(message)
    columns = {"truth": truth, "predictions": predicted} | ({} if group is None else {"group": group})
    arrays = {name: np.asarray(column, dtype=object) for name, column in columns.items()}
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) > 1 or arrays["truth"].ndim != 1:
        found = ", ".join(f"{name} has shape {array.shape}" for name, array in arrays.items())
        message = f"{found}; expected columns of equal length, shape (n_objects,)."
        raise SubmissionError(message)
    ids = [f"{position:012d}" for position in range(len(arrays["truth"]))]
    known, submitted = (pd.DataFrame({"object_id": ids, "taxon": arrays[name]}) for name in ("truth", "predictions"))
    if group is not None:
        known["group"] = arrays["group"]
    return read_labels(known, "truth", None if group is None else "group"), read_labels(submitted, "predictions")


def score_labels(
    truth: Labels, predicted: Labels, classes: Sequence[str] | None, *, draws: int, seed: int, context: Context
) -> Score:
    """Score labels read by `read_labels`; see `score`."""
    rows = match(truth, predicted)
    names = _class_list(rows, classes, truth, predicted)
    matrix, units, resampled = _units_of(rows, names, truth.group)
    rng = np.random.default_rng(derived_seed(purpose="bootstrap", seed=seed))
    scored = rows_sha256(rows)
    signature = Signature(
        data=context.data,
        data_sha256=context.data_sha256 or scored,
        manifest_sha256=context.manifest_sha256,
        split=context.split,
        rows_sha256=scored,
        n_objects=len(rows),
        n_classes=int((matrix.sum(axis=1) > 0).sum()),
        n_known=len(names),
        resampled=resampled,
        draws=draws,
        seed=seed,
        version=__version__,
        task=context.task,
        selected=context.selected,
        withheld=context.withheld,
    )
    unknown = tuple(sorted(set(rows["predicted"]) - set(names)))
    return _assemble(names, matrix, units, intervals(units, draws, rng), unknown=unknown, signature=signature)


def _class_list(rows: pd.DataFrame, classes: Sequence[str] | None, truth: Labels, predicted: Labels) -> list[str]:
    if classes is None:
        return sorted(rows["taxon"].unique())
    names = list(canonical_text(pd.Series(list(classes), dtype=object)))
    check_unique(names, "the class list")
    for column, labels in (("taxon", truth), ("predicted", predicted)):
        unknown = sorted(set(rows[column]) - set(names))
        if unknown:
            message = (
                f"{labels.where}: {listed(unknown)} not in the class list of {len(names)}. "
                f"{did_you_mean(unknown[0], names)}"
            )
            raise SubmissionError(message)
    return sorted(names)


def _units_of(rows: pd.DataFrame, names: Sequence[str], group: str | None) -> tuple[NDArray[np.int64], Units, str]:
    """Return the confusion matrix of matched rows, the resampling units, and their name in the signature.

    Args:
        rows: taxon, predicted and optionally group, as returned by `predictions.match`.
        names: the class list, with all taxa of the rows; other predicted names are counted in a last column.
        group: name of the grouping column.

    """
    codes = {name: code for code, name in enumerate(names)}
    true = rows["taxon"].map(codes).to_numpy(np.intp)
    predicted = rows["predicted"].map(codes).fillna(len(names)).to_numpy(np.intp)
    clusters = cluster_codes(rows)
    resampled = "object" if clusters is None else f"cluster-{group}"
    return *count_units(true, predicted, clusters, len(names)), resampled


def cluster_codes(rows: pd.DataFrame) -> NDArray[np.integer] | None:
    """Return cluster codes in the order of cluster names; None if there is no group, or only one."""
    if "group" not in rows:
        return None
    codes, groups = pd.factorize(rows["group"], sort=True)
    return codes if len(groups) > 1 else None


def _assemble(
    names: list[str],
    matrix: NDArray[np.int64],
    units: Units,
    bounds: Intervals,
    *,
    unknown: tuple[str, ...],
    signature: Signature,
) -> Score:
    totals = totals_of(matrix)
    present = totals.support > 0
    per_class = class_table(names, units)
    other = OTHER
    while other in names:
        other = f"({other})"
    columns = [*names, *([other] if unknown else [])]
    metrics: dict[str, Any] = {name: float(metric(totals)) for name, metric in METRICS.items()}
    return Score(
        macro_f1=float(totals.macro(totals.f1)),
        macro_f1_interval=bounds.macro_f1,
        macro_f1_percentile=bounds.bootstrap.interval,
        bootstrap_bias=bounds.bootstrap.bias,
        accuracy_interval=bounds.accuracy,
        n_objects=signature.n_objects,
        n_clusters=units.n,
        classes_scored=signature.n_classes,
        classes_absent=tuple(np.asarray(names, dtype=object)[~present]),
        names_unknown=unknown,
        draws_losing_a_class=bounds.bootstrap.losing,
        per_class=per_class[present].reset_index(drop=True),
        confusion=pd.DataFrame(matrix[:, : len(columns)], index=pd.Index(names, name="truth"), columns=columns),
        signature=str(signature),
        **metrics,
    )
