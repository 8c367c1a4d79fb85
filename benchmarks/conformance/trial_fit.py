"""Trial fit of a track on synthetic objects: construction, fits, predictions, a kept model, and side effects."""

from __future__ import annotations

import random
import shutil
import sys
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...data_manifests.errors import TrackError
from ...models.kept.file_formats import check_formats
from ...models.protocol.checks import options_of
from ...models.protocol.track import BaseRun, TrackContext
from ...models.registry import get_track
from ...reports.run_files.predictions import SCORE
from ...reports.tasks.catalogue import task_named
from ..execution.track_process import seed_libraries
from ..suites.suite import Budget
from .synthetic_objects import other_ids, renamed, synthetic_objects

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ...features.network_images.form import ImageForm
    from ...models.protocol.objects import Objects
    from ...models.protocol.track import Track
    from ...reports.tasks.task import Task, Values
    from .synthetic_objects import SyntheticObjects

BUDGET = Budget(epochs=2, minutes=1, candidates=1)
SEED = 0


NAMES = ("np.random", "random")
"""The global generators of NumPy and Python, in the order of their states below."""


class TrialFit:
    """A track on synthetic objects; each property is computed when a rule needs it first.

    Args:
        track: class that was checked against the protocol.
        folder: temporary folder for the models of the track and of the one that it continues.

    Attributes:
        changed: descriptions of the arguments that the track modified.
        generators: states of the global generators before and after each fit.

    """

    def __init__(self, track: type[Track], folder: Path) -> None:
        self.track = track
        self.folder = folder
        self.changed: list[str] = []
        self.generators: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    @cached_property
    def options(self) -> dict[str, object]:
        """Options of the track: its defaults, with a small budget."""
        known = options_of(self.track)
        return known | {name: value for name, value in BUDGET.limits().items() if name in known}

    @cached_property
    def plain(self) -> Track:
        """The track before fitting, for its properties."""
        return self.track(**self.options)

    @cached_property
    def base_models(self) -> dict[str, TrialFit]:
        """Trials of the base models of a fusion, and of the track that is continued.

        Raises:
            TrackError: the latter cannot be kept.

        """
        continued = self.plain.continues
        names = [*self.plain.base_models, *([continued] if continued else [])]
        trials = {name: TrialFit(get_track(name), self.folder / name) for name in names}
        if continued and not trials[continued].track.can_be_kept:
            message = f"it continues '{continued}', which cannot be kept; expected a track with save and load."
            raise TrackError(message)
        return trials

    @property
    def image_form(self) -> ImageForm | None:
        """Form of network images of the track, or else of one of its base models."""
        of_base_models = (trial.image_form for trial in self.base_models.values())
        return self.plain.image_form or next((form for form in of_base_models if form), None)

    @cached_property
    def task(self) -> Task:
        """Task of the track.

        Raises:
            TrackError: there is no task of its name.

        """
        return task_named(self.track.task)

    @cached_property
    def objects(self) -> SyntheticObjects:
        """Objects for fitting and predicting."""
        made = synthetic_objects(self.track.inputs, self.image_form)
        return made if self.task.labels == "all" else made.without_labels()

    @cached_property
    def first(self) -> Track:
        """The fitted track."""
        return self._fitted(self.objects, shift_generators=False)

    @cached_property
    def second(self) -> Track:
        """The track fitted with the same `rng` to renamed objects, with another state of the global generators."""
        return self._fitted(self.objects.renamed(), shift_generators=True)

    @cached_property
    def third(self) -> Track:
        """The track fitted as the second one, but to objects under their own ids; needed if the second one differs."""
        return self._fitted(self.objects, shift_generators=True)

    @cached_property
    def output(self) -> Values:
        """Output of the fitted track for the test objects, of shape (n_objects, …)."""
        return self.predict(self.first)

    @cached_property
    def kept(self) -> Path:
        """Folder with the files that the fitted track has saved.

        Raises:
            TrackError: one of them is a pickle, or of an unknown format.

        """
        folder = self.folder / "model"
        folder.mkdir(parents=True)
        self.first.save(folder)
        check_formats(folder, self.track.name)
        return folder

    @cached_property
    def restored(self) -> Track:
        """A new instance, without the context of a run, that was loaded from files which are gone."""
        track = self.track(**self.options)
        copy = shutil.copytree(self.kept, self.folder / "copy")
        track.load(copy)
        shutil.rmtree(copy)
        return track

    def predict(self, track: Track, rows: NDArray[np.int64] | None = None) -> Values:
        """Return the output for test objects, checked by the task.

        Args:
            track: fitted track.
            rows: positions of the objects, in the order of the call; None means all in their own order.

        """
        return self._predicted(track, self.objects.test, np.arange(len(self.objects.test)) if rows is None else rows)

    def predict_renamed(self, track: Track) -> Values:
        """Return the output for test objects under other ids, in the order of these, as `predict` returns it."""
        objects = renamed(self.objects.test)
        order = np.argsort(objects.object_ids)
        found = np.empty_like(self.output)
        found[order] = self._predicted(track, objects, order)
        return found

    def _predicted(self, track: Track, all_objects: Objects, rows: NDArray[np.int64]) -> Values:
        objects = all_objects.take(rows)
        before = _contents(objects, "the objects to predict")
        output = self.task.checked(track.predict(objects), objects, self.track.__name__)
        self._note_changes("predict", before, _contents(objects, "the objects to predict"))
        return output

    def _fitted(self, objects: SyntheticObjects, *, shift_generators: bool) -> Track:
        track = self.track(**self.options)
        base_runs = {
            name: trial.as_base_run(name, continued=name == self.plain.continues)
            for name, trial in self.base_models.items()
        }
        track.context = TrackContext(base_runs=base_runs)
        track.warm_up()
        seed_libraries(SEED)
        if shift_generators:
            _shift_generators()
        before, state = _fit_contents(objects), _generators()
        track.fit(objects.train, objects.valid, rng=np.random.default_rng(SEED))
        self.generators.append((state, _generators()))
        self._note_changes("fit", before, _fit_contents(objects))
        return track

    def as_base_run(self, name: str, *, continued: bool) -> BaseRun:
        """Return the fitted track as a base run, with its model if it is continued."""
        subsets, track = self.objects, self.first
        columns = [f"{SCORE}{taxon}" for taxon in subsets.test.classes]
        predicted = [subsets.valid.without_labels(), subsets.test]
        scored = predicted if self.task.has_scores else []
        scores = [pd.DataFrame(track.predict(objects), objects.object_ids, columns) for objects in scored]
        embedded = [(objects, track.embeddings(objects)) for objects in (subsets.train.without_labels(), *predicted)]
        embeddings = [pd.DataFrame(rows, objects.object_ids) for objects, rows in embedded if rows is not None]
        tables = _under_both_ids(scores), _under_both_ids(embeddings)
        return BaseRun(name, self.track, self.options, *tables, self.kept if continued else None)

    def _note_changes(self, method: str, before: dict[str, str], after: dict[str, str]) -> None:
        changes = [f"{method} modified {what}" for what, text in before.items() if after[what] != text]
        self.changed += [change for change in changes if change not in self.changed]


def _under_both_ids(tables: list[pd.DataFrame]) -> pd.DataFrame | None:
    """Return all rows, by the ids of objects and again by their ids after they are renamed; None without tables."""
    if not tables:
        return None
    table = pd.concat(tables)
    return pd.concat([table, table.set_axis(other_ids(table.index), axis=0)])


def _fit_contents(objects: SyntheticObjects) -> dict[str, str]:
    return _contents(objects.train, "the training objects") | _contents(objects.valid, "the validation objects")


def _contents(objects: Objects, name: str) -> dict[str, str]:
    """Return everything that a track could modify, as text by description."""
    found = {
        f"the ids of {name}": repr(objects.object_ids.tolist()),
        f"the labels of {name}": "" if objects.codes is None else repr(objects.codes.tolist()),
        f"the groups of {name}": "" if objects.groups is None else repr(objects.groups.tolist()),
        f"the native table of {name}": "" if objects.native is None else objects.native.to_csv(),
    }
    return {what: text for what, text in found.items() if text}


def _generators() -> tuple[str, ...]:
    """Return the states of the global generators as text, without Python's if Keras is used, which draws from it."""
    pythons = "" if "keras" in sys.modules else repr(random.getstate())
    return repr(np.random.get_state()), pythons  # noqa: NPY002 - to detect its use


def _shift_generators() -> None:
    """Change the states of the global generators; without Python's if Keras is used, as above."""
    np.random.seed(SEED + 1)  # noqa: NPY002 - as above
    if "keras" not in sys.modules:
        random.seed(SEED + 1)
