"""The state of a training after its last finished epoch, so that a killed run goes on from there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data_manifests.files.atomic_writes import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

FILE = "training.npz"


@dataclass
class TrainingProgress:
    """How far a training has come.

    Attributes:
        macro_f1: of validation rows, after each epoch.
        loss: log loss of validation rows, after each epoch.
        seconds: spent so far.
        out_of_time: whether it stopped because the minutes were used up.

    """

    macro_f1: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    seconds: float = 0.0
    out_of_time: bool = False

    @property
    def epochs(self) -> int:
        """Count the finished epochs."""
        return len(self.macro_f1)

    @property
    def best(self) -> int:
        """The epoch, from 0, with the highest macro F1; of several the one with the lowest loss."""
        return max(range(self.epochs), key=lambda epoch: (self.macro_f1[epoch], -self.loss[epoch]))


@dataclass
class State:
    """What is kept of a training.

    Attributes:
        progress: scores so far.
        current: variables of model and optimiser after the last epoch.
        best: variables of the model after the best one.

    """

    progress: TrainingProgress
    current: list[NDArray[Any]]
    best: list[NDArray[Any]]


@dataclass(frozen=True)
class Checkpoint:
    """Where the state of one training is kept; in memory alone when there is no folder.

    Attributes:
        folder: of this run alone; None to keep nothing.
        identity: of data, recipe and library; a state of another identity is not taken up.

    """

    folder: Path | None
    identity: str

    def read(self) -> State | None:
        """Return the state that an earlier attempt left; None when there is none, or it is of another training."""
        if self.folder is None or not (self.folder / FILE).is_file():
            return None
        with np.load(self.folder / FILE, allow_pickle=False) as stored:
            facts = json.loads(str(stored["facts"]))
            if facts.pop("identity") != self.identity:
                return None
            lists = [[stored[f"{kind}-{place}"] for place in range(facts.pop(kind))] for kind in ("current", "best")]
        return State(TrainingProgress(**facts), *lists)

    def write(self, state: State) -> None:
        """Replace the stored state, whole or not at all."""
        if self.folder is None:
            return
        arrays = {f"current-{place}": value for place, value in enumerate(state.current)}
        arrays |= {f"best-{place}": value for place, value in enumerate(state.best)}
        counts = {"current": len(state.current), "best": len(state.best)}
        facts = json.dumps({**asdict(state.progress), **counts, "identity": self.identity})
        write_whole(self.folder / FILE, lambda part: _save(part, {"facts": np.array(facts), **arrays}))


def _save(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    with path.open("wb") as file:  # given a path, NumPy would add an ending
        np.savez(file, allow_pickle=False, **arrays)


def model_values(model: keras.Model) -> list[NDArray[Any]]:
    """Return the values of a model's variables, states of its random generators among them."""
    return _values(_variables(model))


def set_model_values(model: keras.Model, values: list[NDArray[Any]]) -> None:
    """Put values back that `model_values` returned."""
    for variable, value in zip(_variables(model), values, strict=True):
        variable.assign(value)


def training_values(model: keras.Model) -> list[NDArray[Any]]:
    """Return the values of a compiled model's variables and its optimiser's."""
    return [*model_values(model), *_values(model.optimizer.variables)]


def set_training_values(model: keras.Model, values: list[NDArray[Any]]) -> None:
    """Put values back that `training_values` returned."""
    own = len(_variables(model))
    set_model_values(model, values[:own])
    for variable, value in zip(model.optimizer.variables, values[own:], strict=True):
        variable.assign(value)


def _values(variables: list[Any]) -> list[NDArray[Any]]:
    return [np.asarray(variable).copy() for variable in variables]


def _variables(model: keras.Model) -> list[Any]:
    """Return a model's variables without those of its metrics, which come and go with compilation."""
    metrics = {id(variable) for metric in model.metrics for variable in metric.variables}
    return [variable for variable in model.variables if id(variable) not in metrics]
