"""Paired evaluation of several methods on the same test objects, with pairwise comparisons."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from ..._version import __version__
from ...data_manifests.errors import SubmissionError
from ...data_manifests.seeds import derived_seed, sha256_text
from ..run_files.predictions import DEFAULT_GROUP, match
from ..scoring.estimate import SCORES
from ..scoring.score import DRAWS, Context, read_submitted
from ..scoring.signature import HASH_DIGITS, Signature, rows_of_runs_sha256
from .all_pairs import AllPairs
from .comparison import OBJECT, Comparison, concluded
from .corrected_t import SPLIT_DESIGNS, CorrectedT, corrected_t, design_of
from .mcnemar import McNemar, mcnemar
from .paired_bootstrap import Resampled, resample
from .paired_jackknife import macro_f1_without_each, statistics_without_each
from .paired_predictions import PairedPredictions, macro_f1_of, totals_by_method

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from ..results.stored_run import StoredRun
    from .comparison import Claim
    from .corrected_t import Design
    from .paired_jackknife import Statistics

PAIR = 2


@dataclass(frozen=True)
class Resampling:
    """Settings of the resampling.

    Attributes:
        draws: number of resamples of the bootstrap.
        seed: seed of the bootstrap.

    """

    draws: int = DRAWS
    seed: int = 0

    def __post_init__(self) -> None:
        if self.draws < 1:
            message = f"draws is {self.draws}; expected a number of resamples, 1 or more."
            raise SubmissionError(message)


class ScoreFacts(NamedTuple):
    """What must be known of a score for its intervals.

    Attributes:
        limits: smallest and largest possible value.
        n_objects: number of objects that it is about, in the run with the fewest; for a score of 0 or 1.

    """

    limits: tuple[float, float] = SCORES
    n_objects: int = 0


@dataclass(frozen=True)
class PairedEvaluation:
    """Predictions of several methods for the same objects, in one or several runs.

    Attributes:
        names: names of the methods.
        tables: for each run, the table of each method with object_id, taxon, predicted and, if objects are grouped,
            group, sorted by object_id. Ids, taxa and groups are the same for all methods of a run.
        context: data set, hashes and split, for the signature.
        group: name of the grouping column; None if there is none.
        simulated: whether the objects are simulated.
        design: design of the runs.
        test_to_train: number of test objects / number of training objects; required if the runs are on several splits.
        resampling: draws and seed.

    """

    names: tuple[str, ...]
    tables: Sequence[Sequence[pd.DataFrame]]
    context: Context
    group: str | None = None
    simulated: bool = False
    design: Design = "one run"
    test_to_train: float = float("nan")
    resampling: Resampling = field(default_factory=Resampling)

    @cached_property
    def resampled(self) -> Resampled:
        """Macro F1 of all methods on the same draws."""
        rng = np.random.default_rng(derived_seed(purpose="compare", seed=self.resampling.seed))
        return resample(self._predictions, len(self._units), len(self._taxa), draws=self.resampling.draws, rng=rng)

    @cached_property
    def all_pairs(self) -> AllPairs:
        """Mean macro F1 of all methods and differences of all pairs, with their uncertainty."""
        sizes = len(self._units), len(self._taxa)
        return AllPairs(
            scores=np.stack([macro_f1_of(predictions, len(self._taxa)) for predictions in self._predictions]),
            without_each=np.stack([macro_f1_without_each(predictions, *sizes) for predictions in self._predictions]),
            test_to_train=self._test_to_train,
            n_objects=self.n_objects,
        )

    @property
    def _test_to_train(self) -> float:
        """The ratio for `OverRuns`, which is 0 unless the runs are on several splits."""
        return self.test_to_train if self.design in SPLIT_DESIGNS else 0.0

    def pairs_by(self, statistics: Sequence[Statistics], scores: Sequence[ScoreFacts]) -> list[AllPairs]:
        """Return other scores of all methods than macro F1, and differences of all pairs, with their uncertainty.

        Args:
            statistics: for each run, the scores as a function of the counts of the classes `taxa`.
            scores: range and number of objects of each score.

        """
        n_units, n_taxa = len(self._units), len(self._taxa)
        runs = list(zip(self._predictions, statistics, strict=True))
        values = np.stack([of_run(totals_by_method(predictions, n_taxa)) for predictions, of_run in runs])
        without_each = np.stack([statistics_without_each(one, n_units, n_taxa, of_run) for one, of_run in runs])
        return [
            AllPairs(values[..., k], without_each[..., k], self._test_to_train, score.limits, score.n_objects)
            for k, score in enumerate(scores)
        ]

    @property
    def taxa(self) -> list[str]:
        """Classes with test objects in any run, sorted."""
        return [str(name) for name in self._taxa]

    @property
    def intervals(self) -> list[tuple[float, float]]:
        """95 % interval of the mean macro F1 of each method."""
        return self.all_pairs.intervals

    @cached_property
    def accuracy(self) -> NDArray[np.float64]:
        """Accuracy of each method, mean over runs, shape (n_methods,)."""
        accuracies = [(predictions.predicted == predictions.truth).mean(axis=1) for predictions in self._predictions]
        return np.asarray(np.mean(accuracies, axis=0))

    @cached_property
    def n_objects(self) -> int:
        """Number of unique test objects over all runs."""
        return int(self._truth["object_id"].nunique())

    @property
    def n_units(self) -> int:
        """Number of units over all runs: clusters, or objects if there are none."""
        return len(self._units)

    @property
    def claim(self) -> Claim:
        """What comparisons are about: with several runs the methods, else these fitted models."""
        return "methods" if len(self.tables) > 1 else "fitted models"

    @property
    def resampled_by(self) -> str:
        """Resampled units: the name of the grouping column, or `object`."""
        return self.group if self.group is not None and self._is_clustered else OBJECT

    @cached_property
    def signature(self) -> str:
        """All settings that can change the numbers."""
        signature = Signature(
            data=self.context.data,
            data_sha256=self.context.data_sha256 or self._rows_sha256,
            manifest_sha256=self.context.manifest_sha256,
            split=self.context.split,
            rows_sha256=self._rows_sha256,
            n_objects=self.n_objects,
            n_classes=len(self._taxa),
            n_known=len(self._taxa),
            resampled=OBJECT if self.resampled_by == OBJECT else f"cluster-{self.group}",
            draws=self.resampling.draws,
            seed=self.resampling.seed,
            version=__version__,
            selected=self.context.selected,
            withheld=self.context.withheld,
            methods=f"{len(self.names)}@{self._methods_sha256[:HASH_DIGITS]}" if len(self.names) > PAIR else "",
        )
        return f"paired-{signature}"

    @cached_property
    def _methods_sha256(self) -> str:
        """Hash of the predictions of all methods, in any order: of more than two, each comparison depends on all."""
        predicted = np.concatenate([run.predicted for run in self._predictions], axis=1).astype("<i8")
        return sha256_text(*sorted(hashlib.sha256(one.tobytes()).hexdigest() for one in predicted))

    def is_different(self, a: int, b: int) -> bool:
        """Return whether two methods differ: their conclusion is `different`, and p_holm is at most 0.05."""
        if not self.all_pairs.is_different(a, b):
            return False
        conclusion, _ = concluded(self.all_pairs.difference(a, b), self.resampled.interval(a, b))
        return conclusion == "different"

    def compare(self, a: int, b: int) -> Comparison:
        """Compare two methods by position; swapping them only changes the sign."""
        method = self.all_pairs.difference(a, b)
        fitted = self.all_pairs.pair_values(a, b).of_fitted_models
        percentile = self.resampled.interval(a, b)
        deltas = self.all_pairs.scores[:, a] - self.all_pairs.scores[:, b]
        conclusion, verdict = concluded(method, percentile)
        return Comparison(
            a=self.names[a],
            b=self.names[b],
            macro_f1_a=self.all_pairs.estimates[a].value,
            macro_f1_b=self.all_pairs.estimates[b].value,
            delta=method.value,
            interval=method.interval,
            p_value=method.p_value,
            n_objects=self.n_objects,
            n_clusters=self.n_units,
            verdict=verdict,
            signature=self.signature,
            claim=self.claim,
            conclusion=conclusion,
            p_holm=self.all_pairs.adjusted_p_value(a, b),
            fitted_interval=fitted.interval,
            percentile_interval=percentile,
            bootstrap_bias=self.resampled.mean(a, b) - method.value,
            dataset=self.context.data,
            manifest=self.context.manifest,
            simulated=self.simulated,
            resampled=self.resampled_by,
            detectable_difference=method.detectable,
            accuracy_a=float(self.accuracy[a]),
            accuracy_b=float(self.accuracy[b]),
            mcnemar=self._mcnemar(a, b),
            design=self.design,
            deltas=tuple(deltas.tolist()),
            over_splits=self._over_splits(deltas),
        )

    def _mcnemar(self, a: int, b: int) -> McNemar | None:
        if len(self._predictions) > 1:
            return None
        (predictions,) = self._predictions
        return mcnemar(predictions.predicted[a] == predictions.truth, predictions.predicted[b] == predictions.truth)

    def _over_splits(self, deltas: NDArray[np.float64]) -> CorrectedT | None:
        return corrected_t(deltas, self.test_to_train) if self.design in SPLIT_DESIGNS else None

    @cached_property
    def _truth(self) -> pd.DataFrame:
        """Truth of all runs, concatenated."""
        return pd.concat([of_run[0].drop(columns="predicted") for of_run in self.tables], ignore_index=True)

    @cached_property
    def _rows_sha256(self) -> str:
        """Hash of the scored rows of all runs, for the signature."""
        return rows_of_runs_sha256(of_run[0] for of_run in self.tables)

    @cached_property
    def _is_clustered(self) -> bool:
        """Whether all runs have groups, and there is more than one; in a table with groups, every object has one."""
        return all("group" in of_run[0] for of_run in self.tables) and len(self._truth["group"].unique()) > 1

    @property
    def _unit_column(self) -> str:
        return "group" if self._is_clustered else "object_id"

    @cached_property
    def _units(self) -> pd.Index:
        """Resampled units, sorted, so that the order of rows does not matter."""
        return _sorted_index(self._truth[self._unit_column])

    @cached_property
    def _taxa(self) -> pd.Index:
        """Classes with support; predictions of any other name are counted as errors."""
        return _sorted_index(self._truth["taxon"])

    @cached_property
    def _predictions(self) -> list[PairedPredictions]:
        return [self._coded(of_run) for of_run in self.tables]

    def _coded(self, of_run: Sequence[pd.DataFrame]) -> PairedPredictions:
        predicted = np.stack([self._taxa.get_indexer(pd.Index(table["predicted"])) for table in of_run])
        return PairedPredictions(
            truth=self._taxa.get_indexer(pd.Index(of_run[0]["taxon"])),
            predicted=np.where(predicted < 0, len(self._taxa), predicted),
            units=self._units.get_indexer(pd.Index(of_run[0][self._unit_column])),
        )


def paired_evaluation(
    names: Sequence[str],
    runs: Sequence[StoredRun],
    tables: Sequence[Sequence[pd.DataFrame]],
    resampling: Resampling,
) -> PairedEvaluation:
    """Return the paired evaluation of methods in stored runs.

    Args:
        names: names of the methods.
        runs: one run for each split and seed, of any of the methods, because all have the same data and objects.
        tables: for each of the runs, the table of each method; see `PairedEvaluation`.
        resampling: draws and seed.

    """
    first = runs[0]
    grouped = all("group" in of_run[0] for of_run in tables)
    return PairedEvaluation(
        names=tuple(names),
        tables=tables,
        context=replace(first.context, split=f"{first.card.split.plan}({','.join(map(_fold_and_seed, runs))})"),
        group=DEFAULT_GROUP if grouped else None,
        simulated=first.card.data.simulated,
        design=design_of(runs),
        test_to_train=float(np.mean([run.card.split.n_test / run.card.split.n_train for run in runs])),
        resampling=resampling,
    )


def _sorted_index(values: pd.Series) -> pd.Index:
    index: pd.Index = pd.Index(sorted(values.unique()), dtype=object)
    return index


def _fold_and_seed(run: StoredRun) -> str:
    """Return the fold, if any, and the seed of a run as text."""
    fold = run.card.split.name.removeprefix(run.card.split.plan).removeprefix("-")
    return f"{fold}/{run.card.split.seed}" if fold else str(run.card.split.seed)


def compare(  # noqa: PLR0913 - keyword options, each of them in the signature
    truth: str | Path | pd.DataFrame | ArrayLike,
    a: str | Path | pd.DataFrame | ArrayLike,
    b: str | Path | pd.DataFrame | ArrayLike,
    *,
    group: str | ArrayLike | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    context: Context | None = None,
) -> Comparison:
    """Compare the predictions of two methods for the same objects; swapping them only changes the sign.

    Macro F1 is the mean over the classes of the truth, as in `score`. The interval is that of the paired jackknife:
    both methods are scored without the same cluster.

    Args:
        truth: file or table with object_id, taxon and optionally a grouping column, or labels of shape (n_objects,).
        a: predictions of the first method: file or table with object_id and taxon, or labels in the order of the truth.
        b: predictions of the second method, likewise.
        group: name of the grouping column, or its values if `truth` is labels; by default, `sample` if present.
        draws: number of resamples of the bootstrap.
        seed: seed of the bootstrap.
        context: data set and split, for the signature.

    Raises:
        SubmissionError: if a table is unreadable or incomplete, or ids do not match.

    Example:
        >>> compare(["a", "a", "b", "b"], ["a", "a", "b", "b"], ["a", "a", "a", "b"]).verdict
        'tie'

    """
    labels, submitted = read_submitted(truth, [a, b], group)
    evaluation = PairedEvaluation(
        names=(_name_of(a, "a"), _name_of(b, "b")),
        tables=[[match(labels, predictions) for predictions in submitted]],
        context=context or Context(data=Path(labels.where).name.strip("()")),
        group=labels.group,
        resampling=Resampling(draws, seed),
    )
    return evaluation.compare(0, 1)


def _name_of(predicted: object, default: str) -> str:
    return str(predicted) if isinstance(predicted, (str, Path)) else default
