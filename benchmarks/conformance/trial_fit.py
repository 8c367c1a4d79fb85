"""The trial of a track on made-up objects: it is made, fitted twice and asked, and watched while it works."""

from __future__ import annotations

import random
import sys
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...models.protocol.checks import checked_scores, options_of
from ...models.protocol.track import BaseRun
from ...models.registry import get_track
from ...reports.run_files.predictions import SCORE
from ..execution.worker import seed_libraries
from ..suites.suite import Budget
from .synthetic_objects import synthetic_objects

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ...features.network_images.form import ImageForm
    from ...models.protocol.objects import Objects
    from ...models.protocol.track import Track
    from .synthetic_objects import MadeUp

BUDGET = Budget(epochs=2, minutes=1, candidates=1)
SEED = 0


NAMES = ("np.random", "random")
"""The global generators, NumPy's and Python's, in the order in which their states are kept."""


class TrialFit:
    """A track on made-up objects; each attribute is made when a rule asks for it first.

    Args:
        track: the class, checked against the protocol.
        folder: an empty folder for images.

    Attributes:
        changed: what the track changed of what it was given, in words.
        generators: where the global generators stood before and after each fit.

    """

    def __init__(self, track: type[Track], folder: Path) -> None:
        self.track = track
        self.folder = folder
        self.changed: list[str] = []
        self.generators: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    @cached_property
    def options(self) -> dict[str, object]:
        """The options that it is made with: its defaults, with a small budget."""
        known = options_of(self.track)
        return known | {name: value for name, value in BUDGET.limits().items() if name in known}

    @cached_property
    def plain(self) -> Track:
        """The track made, to be asked what it wants."""
        return self.track(**self.options)

    @cached_property
    def base_models(self) -> dict[str, TrialFit]:
        """Trials of the tracks that a fusion is built on."""
        return {name: TrialFit(get_track(name), self.folder / name) for name in self.plain.base_models}

    @property
    def image_form(self) -> ImageForm | None:
        """The form of prepared images that it, or else one of its base models, asks for."""
        of_base_models = (trial.image_form for trial in self.base_models.values())
        return self.plain.image_form or next((form for form in of_base_models if form), None)

    @cached_property
    def made(self) -> MadeUp:
        """The objects that it learns from and predicts."""
        return synthetic_objects(self.track.inputs, self.image_form, self.folder / "first")

    @cached_property
    def first(self) -> Track:
        """The track, fitted."""
        return self._fitted(self.made, elsewhere=False)

    @cached_property
    def second(self) -> Track:
        """The track fitted to the same objects with the same `rng`, while the global generators stand elsewhere."""
        again = synthetic_objects(self.track.inputs, self.image_form, self.folder / "second")
        return self._fitted(again, elsewhere=True)

    @cached_property
    def scores(self) -> NDArray[np.float32]:
        """What the fitted track says of the objects to predict, float32 of shape (n_objects, n_classes)."""
        return self.asked(self.first)

    def asked(self, track: Track, rows: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """Return what a fitted track says of objects, checked for shape, values and sums.

        Args:
            track: fitted.
            rows: positions of the objects, in the order in which they are shown; None shows all as they are.

        """
        objects = self.made.test.take(np.arange(len(self.made.test)) if rows is None else rows)
        before = _written(objects, "the objects to predict")
        scores = checked_scores(track.predict(objects), objects, self.track.__name__)
        self._note_changes("predict", before, _written(objects, "the objects to predict"))
        return scores

    def _fitted(self, made: MadeUp, *, elsewhere: bool) -> Track:
        track = self.track(**self.options)
        track.base_runs = {name: trial.as_base_run(name) for name, trial in self.base_models.items()}
        track.warm_up()
        seed_libraries(SEED)
        if elsewhere:
            _move_generators()
        before, stood = _written_for_fit(made), _generators()
        track.fit(made.train, made.valid, rng=np.random.default_rng(SEED))
        self.generators.append((stood, _generators()))
        self._note_changes("fit", before, _written_for_fit(made))
        return track

    def as_base_run(self, name: str) -> BaseRun:
        """Return the fitted track as a finished run that a fusion is built on."""
        made, track = self.made, self.first
        columns = [f"{SCORE}{taxon}" for taxon in made.test.classes]
        predicted = [made.valid.without_labels(), made.test]
        said = [pd.DataFrame(track.predict(objects), objects.object_ids, columns) for objects in predicted]
        shown = [made.train.without_labels(), *predicted]
        seen = [(objects, track.embeddings(objects)) for objects in shown]
        known = [pd.DataFrame(rows, objects.object_ids) for objects, rows in seen if rows is not None]
        return BaseRun(name, self.track, self.options, pd.concat(said), pd.concat(known) if known else None)

    def _note_changes(self, method: str, before: dict[str, str], after: dict[str, str]) -> None:
        changes = [f"{method} changed {what}" for what, text in before.items() if after[what] != text]
        self.changed += [change for change in changes if change not in self.changed]


def _written_for_fit(made: MadeUp) -> dict[str, str]:
    return _written(made.train, "the training objects") | _written(made.valid, "the validation objects")


def _written(objects: Objects, whose: str) -> dict[str, str]:
    """Write out what a track could change: by what it is, its content."""
    found = {
        f"the ids of {whose}": repr(objects.object_ids.tolist()),
        f"the labels of {whose}": "" if objects.codes is None else repr(objects.codes.tolist()),
        f"the groups of {whose}": "" if objects.groups is None else repr(objects.groups.tolist()),
        f"the native table of {whose}": "" if objects.native is None else objects.native.to_csv(),
    }
    return {what: text for what, text in found.items() if text}


def _generators() -> tuple[str, ...]:
    """Write out where the global generators stand; not Python's with Keras, which seeds layers by it."""
    pythons = "" if "keras" in sys.modules else repr(random.getstate())
    return repr(np.random.get_state()), pythons  # noqa: NPY002 - to see who uses it


def _move_generators() -> None:
    """Let the global generators stand elsewhere; not Python's with Keras, as above."""
    np.random.seed(SEED + 1)  # noqa: NPY002 - as above
    if "keras" not in sys.modules:
        random.seed(SEED + 1)
