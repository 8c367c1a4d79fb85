"""Checkpoints: the state of training after the last finished epoch, from which a killed run continues."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data_manifests.files.atomic_writes import atomic_write

if TYPE_CHECKING:
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from .recipe import Criterion

FILE = "training.npz"
OBJECTIVE = "objective-"


@dataclass
class TrainingProgress:
    """Progress of training.

    Attributes:
        macro_f1: macro F1 of the validation rows after each epoch.
        loss: log loss of the validation rows after each epoch, balanced if this is the criterion.
        seconds: training time so far.
        out_of_time: whether training stopped because its time limit was reached.
        criterion: what determines the best epoch, see `Recipe`.

    """

    macro_f1: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    seconds: float = 0.0
    out_of_time: bool = False
    criterion: Criterion = "macro-f1"

    @property
    def epochs(self) -> int:
        """Number of finished epochs."""
        return len(self.macro_f1)

    @property
    def best(self) -> int:
        """Epoch, counted from 0, with the highest macro F1, ties broken by the lowest loss; or with the lowest loss."""
        if self.criterion == "balanced-loss":
            return min(range(self.epochs), key=lambda epoch: np.nan_to_num(self.loss[epoch], nan=np.inf))
        return max(range(self.epochs), key=lambda epoch: (self.macro_f1[epoch], -self.loss[epoch]))

    @property
    def best_score(self) -> float:
        """Value of the criterion at the best epoch."""
        return (self.loss if self.criterion == "balanced-loss" else self.macro_f1)[self.best]


@dataclass
class State:
    """State of training.

    Attributes:
        progress: scores so far.
        current: variables of model and optimiser after the last epoch.
        best: variables of the model after the best epoch.
        objective: state of the objective after the last epoch, see `Objective.state`.

    """

    progress: TrainingProgress
    current: list[NDArray[Any]]
    best: list[NDArray[Any]]
    objective: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """Checkpoint file of one training run; without a folder, the state is kept in memory only.

    Attributes:
        folder: folder of this run; None to store nothing.
        identity: hash of data, recipe and library; a stored state with another identity is ignored.

    """

    folder: Path | None
    identity: str

    def read(self) -> State | None:
        """Return the state stored by an earlier attempt; None if there is none, or only one of another training run."""
        if self.folder is None or not (self.folder / FILE).is_file():
            return None
        with np.load(self.folder / FILE, allow_pickle=False) as stored:
            facts = json.loads(str(stored["facts"]))
            if facts.pop("identity") != self.identity:
                return None
            current, best = (
                [stored[f"{kind}-{place}"] for place in range(facts.pop(kind))] for kind in ("current", "best")
            )
            objective = {name: stored[f"{OBJECTIVE}{name}"] for name in facts.pop("objective")}
        return State(TrainingProgress(**facts), current, best, objective)

    def write(self, state: State) -> None:
        """Replace the stored state atomically."""
        if self.folder is None:
            return
        arrays = {f"current-{place}": value for place, value in enumerate(state.current)}
        arrays |= {f"best-{place}": value for place, value in enumerate(state.best)}
        arrays |= {f"{OBJECTIVE}{name}": value for name, value in state.objective.items()}
        counts = {"current": len(state.current), "best": len(state.best), "objective": list(state.objective)}
        facts = json.dumps({**asdict(state.progress), **counts, "identity": self.identity})
        atomic_write(self.folder / FILE, lambda partial: _save(partial, {"facts": np.array(facts), **arrays}))


def _save(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    with path.open("wb") as file:  # given a path, NumPy would append a suffix
        np.savez(file, allow_pickle=False, **arrays)


def model_values(model: keras.Model) -> list[NDArray[Any]]:
    """Return the values of a model's variables, including the states of its random generators."""
    return _values(_variables(model))


def set_model_values(model: keras.Model, values: list[NDArray[Any]]) -> None:
    """Restore values returned by `model_values`."""
    for variable, value in zip(_variables(model), values, strict=True):
        variable.assign(value)


def training_values(model: keras.Model) -> list[NDArray[Any]]:
    """Return the values of the variables of a compiled model and of its optimiser."""
    return [*model_values(model), *_values(model.optimizer.variables)]


def set_training_values(model: keras.Model, values: list[NDArray[Any]]) -> None:
    """Restore values returned by `training_values`."""
    own = len(_variables(model))
    set_model_values(model, values[:own])
    for variable, value in zip(model.optimizer.variables, values[own:], strict=True):
        variable.assign(value)


def _values(variables: list[Any]) -> list[NDArray[Any]]:
    return [np.asarray(variable).copy() for variable in variables]


def _variables(model: keras.Model) -> list[Any]:
    """Return a model's variables except those of its metrics, which change with compilation."""
    metrics = {id(variable) for metric in model.metrics for variable in metric.variables}
    return [variable for variable in model.variables if id(variable) not in metrics]
