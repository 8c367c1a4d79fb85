"""The plan: a suite turned into jobs, each one track on one split of one data set with one seed."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data_manifests.dataset import Dataset, find_folder
from ...data_manifests.errors import PlanktonbenchError, SuiteError
from ...data_manifests.manifest import Manifest, load_manifest, manifest_of_folder
from ...data_manifests.seeds import sha256_text
from ...data_manifests.splits import Split, SplitPlan, make_splits
from ...models.protocol.source_hash import track_sha256
from ...models.protocol.track import Track, check_options, check_track, options_of
from ...models.registry import get_track
from ...reports.results.stored_run import truth_path
from ...reports.run_files.card import Card, CardNote
from ..execution.environment import library_versions, machine_name, now
from ..suites.suite import DatasetEntry, TrackEntry
from .feature_tables import NATIVE, FeatureTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ...data_manifests.cleaning.rules import Note
    from ...features.network_images.form import StackForm
    from ...features.network_images.store import Stacks
    from ..execution.settings import Settings
    from ..suites.suite import Features, Suite


@dataclass(frozen=True)
class Method:
    """A track that is to be run, under the name of its results.

    Attributes:
        name: name of its runs.
        track: its class.
        reference: how a worker finds it: a registered name or `path.py:Class`; empty when it is carried along.
        options: all options, defaults and budget included.
        features: the table that it learns from; None is the data set's usual one.
        parts: the methods whose runs it is built on.

    """

    name: str
    track: type[Track]
    reference: str
    options: dict[str, Any]
    features: Features | None = None
    parts: tuple[Method, ...] = ()

    @cached_property
    def instance(self) -> Track | None:
        """The track made from its options, to be asked what it wants; None when it fails, which its run will tell.

        Raises:
            TrackError: one of its options cannot be meant.

        """
        try:
            return self.track(**self.options)
        except PlanktonbenchError:
            raise
        except Exception:  # noqa: BLE001 - anybody's constructor; a run that fails is recorded with the reason
            return None

    @property
    def asks_for(self) -> tuple[str, ...]:
        """The names of the methods that it is to be built on."""
        return self.instance.parts if self.instance else ()

    @property
    def stack_form(self) -> StackForm | None:
        """The form of prepared images that it, or else one of its parts, learns from."""
        own = self.instance.stack_form if self.instance else None
        return own or next((part.stack_form for part in self.parts if part.stack_form), None)

    @property
    def depth(self) -> int:
        """How many runs have to follow each other until its own can begin."""
        return 1 + max((part.depth for part in self.parts), default=-1)

    @property
    def carried(self) -> str:
        """The class itself, for a worker that cannot import it (a notebook's): pickled by value, in base64."""
        if self.reference:
            return ""
        import cloudpickle

        return base64.b64encode(cloudpickle.dumps(self.track)).decode()


@dataclass(frozen=True)
class Inputs:
    """What the methods of a data set learn from.

    Attributes:
        tables: tables of features, by wish.
        stacks: prepared images, by form.

    """

    tables: Mapping[Features | None, FeatureTable]
    stacks: Mapping[StackForm, Stacks]


@dataclass(frozen=True)
class Job:
    """One run that is wanted.

    Attributes:
        draft: its card as far as it is known beforehand.
        method: the track with its options.
        task: where the worker finds truth, native table, images and prepared images.

    """

    draft: Card
    method: Method
    task: dict[str, str]

    @property
    def parts(self) -> list[Card]:
        """The cards of the runs that it is built on, as far as they name their folders."""
        return [self.draft.model_copy(update={"track": part.name}) for part in self.method.parts]

    @property
    def label(self) -> str:
        """The job in words."""
        return f"{self.draft.dataset} · {self.draft.track} · {self.draft.split} · seed {self.draft.seed}"


def choose_methods(suite: Suite, wanted: Sequence[str | type[Track]] | None, *, quick: bool) -> list[Method]:
    """Return the methods to run: those that are wanted, or all of the suite.

    A wanted name is looked up among the suite's entries first, so that their options hold, then among all tracks.

    Raises:
        TrackError: a track is unknown, breaks the protocol, or has no such option.
        SuiteError: two methods have the same name.

    """
    entries = {entry.stored_as or entry.track: entry for entry in suite.track_entries()}
    limits = (suite.quick if quick else suite.budget).limits()

    def find(item: str | type[Track]) -> Method:
        if isinstance(item, str):
            entry = entries.get(item, TrackEntry(track=item))
            found = _method(get_track(entry.track), _absolute(entry.track), entry, limits)
        else:
            found = _method(check_track(item, repr(item)), "", TrackEntry(track=item.name), limits)
        return found if found.features else replace(found, features=suite.features)

    methods = [find(item) for item in (wanted if wanted is not None else entries)]
    names = [method.name for method in methods]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        message = f"Two tracks are called '{twice[0]}'. Give one another name with 'as: …' in the suite."
        raise SuiteError(message)
    chosen: dict[str, Method] = {}
    wished = {method.name: method for method in methods}
    for name in wished:
        _add_with_parts(name, lambda part: wished.get(part) or find(part), chosen, ())
    return list(chosen.values())


def _add_with_parts(
    name: str, find: Callable[[str], Method], chosen: dict[str, Method], above: tuple[str, ...]
) -> None:
    """Add a method behind those that it is built on, each once.

    Raises:
        SuiteError: it is built on itself.

    """
    if name in above:
        message = f"Track '{name}' is built on itself: {' → '.join((*above, name))}. Name another part."
        raise SuiteError(message)
    if name in chosen:
        return
    method = find(name)
    for part in method.asks_for:
        _add_with_parts(part, find, chosen, (*above, name))
    chosen[name] = replace(method, parts=tuple(chosen[part] for part in method.asks_for))


def _absolute(reference: str) -> str:
    """Make the path of `path.py:Class` absolute, since a worker has another working folder."""
    if ".py" not in reference:
        return reference
    path, colon, member = reference.rpartition(":") if not reference.endswith(".py") else (reference, "", "")
    return f"{Path(path).expanduser().resolve()}{colon}{member}"


def _method(track: type[Track], reference: str, entry: TrackEntry, limits: dict[str, Any]) -> Method:
    check_options(track, entry.options)
    known = options_of(track)
    budget = {name: value for name, value in limits.items() if name in known}
    options = {**known, **budget, **entry.options}
    return Method(entry.stored_as or track.name, track, reference, options, entry.features)


def find_entry(entry: DatasetEntry, data_dir: Path | None, *, alone: bool) -> tuple[Manifest, Path]:
    """Find a suite's data set: its own path, else `data_dir` (with several data sets, the folder of its name in it).

    Raises:
        DataError, ManifestError: it cannot be found.

    """
    if entry.path is not None:
        said = {"scale_bar": entry.scale_bar, "pixel_size_um": entry.pixel_size_um}
        return manifest_of_folder(entry.name, entry.background).model_copy(update=said), entry.path
    manifest = load_manifest(entry.name)
    if data_dir is not None and (not alone or (data_dir / manifest.name).is_dir()):
        data_dir = data_dir / manifest.name
    return manifest, find_folder(manifest.name, data_dir)


def plan_jobs(
    dataset: Dataset,
    splits: list[Split],
    methods: list[Method],
    inputs: Inputs,
    *,
    out: Path,
    settings: Settings,
) -> list[Job]:
    """Return the jobs of a data set: every method on every split, with what it learns from."""
    images = "" if dataset.images is None else dataset.images.address
    jobs = []
    for split in splits:
        truth = str(truth_path(out, dataset.name, split.name, split.seed))
        identities: dict[str, str] = {}
        for method in methods:
            table = inputs.tables[method.features] if NATIVE in method.track.inputs else None
            native = "" if table is None or table.path is None else str(table.path)
            stacks = inputs.stacks.get(method.stack_form) if method.stack_form else None
            draft = _draft(dataset, split, method, table, settings)
            draft = draft.model_copy(update={"parts": {part.name: identities[part.name] for part in method.parts}})
            identities[method.name] = _identity(draft)
            task = {"native": native, "images": images, "truth": truth, "stacks": stacks.address if stacks else ""}
            jobs.append(Job(draft, method, task))
    return jobs


def _identity(draft: Card) -> str:
    """Hash what a run's results depend on, besides data and split."""
    return sha256_text(draft.track_sha256, *(json.dumps(one, sort_keys=True) for one in (
        draft.config, draft.features, draft.parts)))[:16]  # fmt: skip


def all_splits(dataset: Dataset, plan: SplitPlan, seeds: Sequence[int]) -> list[Split]:
    """Return the splits of all seeds, folds in order."""
    return [split for seed in seeds for split in make_splits(dataset, plan, seed)]


def _draft(dataset: Dataset, split: Split, method: Method, table: FeatureTable | None, settings: Settings) -> Card:
    table = table or FeatureTable(None, {})
    missing = {*table.lacks, *({"images"} if "images" in method.track.inputs and dataset.images is None else ())}
    return Card(
        **card_facts(dataset, split, settings),
        track=method.name,
        config=json.loads(json.dumps({"track": method.track.name, **method.options}, default=str)),  # as it is stored
        features=table.identity,
        status="skipped" if missing else "failed",
        reason=f"the data set has no {' and no '.join(sorted(missing))}" if missing else "was not run",
        threads=settings.threads,
        track_sha256=track_sha256(method.track),
        versions=library_versions(),
        source=method.track.source,
        notes=card_notes([*dataset.notes, *split.notes, *table.notes]),
        machine=machine_name(),
    )


def card_facts(dataset: Dataset, split: Split, settings: Settings) -> dict[str, Any]:
    """Return what the cards of all runs on a split have in common."""
    return {
        "dataset": dataset.name,
        "manifest_sha256": dataset.manifest.sha256,
        "data_sha256": dataset.data_sha256,
        "data_citation": dataset.reference,
        "simulated": dataset.simulated,
        "classes": list(dataset.classes),
        "split": split.name,
        "seed": split.seed,
        "n_train": split.count("train"),
        "n_valid": split.count("valid"),
        "n_test": split.count("test"),
        "quick": settings.quick,
        "created": now(),
    }


def card_notes(notes: Iterable[Note]) -> list[CardNote]:
    """Return notes as a card keeps them."""
    return [CardNote(code=n.code, text=n.text, count=n.count, examples=list(n.examples)) for n in notes]
