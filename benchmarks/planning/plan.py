"""Plan of a suite: its jobs, each one track on one split of one data set with one seed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ...data_manifests.seeds import sha256_file, sha256_text
from ...data_manifests.splits import make_splits
from ...models.kept.model_facts import ModelFacts
from ...models.protocol.source_hash import user_files
from ...reports.run_files.card import Card
from ...reports.run_files.run_folder import truth_path
from ..execution.cards import card_facts, card_notes
from ..execution.environment import environment_sha256, library_versions, machine_name
from ..execution.job import InputRecipe, Job
from .feature_tables import NATIVE, FeatureTable
from .prepared_images import source_of_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ...data_manifests.dataset import Dataset
    from ...data_manifests.splits import Split, SplitPlan
    from ...features.network_images.form import ImageForm
    from ...features.network_images.store import StoredNetworkImages
    from ..execution.method import Method
    from ..execution.settings import Settings
    from ..suites.suite import Features


@dataclass(frozen=True)
class Inputs:
    """Inputs of the methods on a data set.

    Attributes:
        tables: feature tables, by requested kind.
        network_images: network images, by form.

    """

    tables: Mapping[Features | None, FeatureTable]
    network_images: Mapping[ImageForm, StoredNetworkImages]


def plan_jobs(
    dataset: Dataset,
    splits: list[Split],
    methods: list[Method],
    inputs: Inputs,
    *,
    out: Path,
    settings: Settings,
) -> list[Job]:
    """Return the jobs of a data set: every method on every split, with its inputs."""
    images = "" if dataset.images is None else dataset.images.address
    images_state = _images_state(dataset, methods) if settings.scheduler else ""
    continued = {method.continued_run for method in methods}
    jobs = []
    for split in splits:
        truth = truth_path(out, dataset.name, split.name, split.seed).resolve()
        identities: dict[str, str] = {}
        for method in methods:
            table = inputs.tables[method.features] if NATIVE in method.track.inputs else None
            native = None if table is None or table.path is None else table.path.resolve()
            network_images = inputs.network_images.get(method.image_form) if method.image_form else None
            draft = _draft(dataset, split, method, table, settings)
            draft = draft.changed(base_runs={base.name: identities[base.name] for base in method.base_methods})
            identities[method.name] = _identity(draft)
            wants_model = settings.keep_models and method.track.can_be_kept
            job = Job(
                out=out.resolve(),
                draft=draft,
                track=method.source,
                base_runs={base.name: base.source for base in method.base_methods},
                truth=truth,
                native=native,
                images=images if "images" in method.track.inputs else "",
                network_images=network_images.address if network_images else "",
                recipe=_recipe(dataset, method, draft, images_state) if settings.scheduler else None,
                force=settings.force,
                model=_model_facts(dataset, method, draft, native) if wants_model or method.name in continued else None,
                needs_model=wants_model,
            )
            jobs.append(job)
    return jobs


def _model_facts(dataset: Dataset, method: Method, draft: Card, native: Path | None) -> ModelFacts:
    """Return the facts to be stored with the model of a run."""
    import pyarrow.parquet as pq

    uses_images = "images" in method.track.inputs and dataset.images is not None
    columns = [] if native is None else [name for name in pq.read_schema(native).names if name != "object_id"]
    return ModelFacts(
        name=method.name,
        reference=method.reference,
        options={name: value for name, value in draft.track.config.items() if name != "track"},
        classes=tuple(draft.data.classes),
        columns=tuple(columns),
        features=draft.track.features,
        image_form=asdict(method.image_form) if method.image_form and uses_images else None,
        image_source=asdict(source_of_dataset(dataset)) if uses_images else None,
    )


def _images_state(dataset: Dataset, methods: list[Method]) -> str:
    """Return the hash of the state of the images, which takes long for many files; empty if no method uses them."""
    uses_images = any("images" in method.track.inputs for method in methods)
    return sha256_text(dataset.images.state()) if dataset.images is not None and uses_images else ""


def _recipe(dataset: Dataset, method: Method, draft: Card, images_state: str) -> InputRecipe:
    """Return how a worker without the inputs of a job prepares them."""
    files = {path for one in (method, *method.base_methods) if one.source.file for path in user_files(one.track)}
    return InputRecipe(
        manifest=dataset.manifest,
        folder=dataset.folder.resolve(),
        data_sha256=dataset.data_sha256,
        simulated=dataset.simulated,
        label=dataset.label,
        selected=() if dataset.selected is None else dataset.selected.names,
        excluded=dataset.excluded,
        images_state=images_state,
        features=draft.track.features,
        image_form=asdict(method.image_form) if method.image_form and dataset.images is not None else {},
        track_files={path: sha256_file(path) for path in sorted(files)},
    )


def _identity(draft: Card) -> str:
    """Return the hash of everything besides data and split that determines the results of a run."""
    return sha256_text(draft.track.sha256, *(json.dumps(one, sort_keys=True) for one in (
        draft.track.config, draft.track.features, draft.track.base_runs)))[:16]  # fmt: skip


def all_splits(dataset: Dataset, plan: SplitPlan, seeds: Sequence[int]) -> list[Split]:
    """Return the splits for all seeds, folds in order."""
    return [split for seed in seeds for split in make_splits(dataset, plan, seed)]


def _draft(dataset: Dataset, split: Split, method: Method, table: FeatureTable | None, settings: Settings) -> Card:
    table = table or FeatureTable(None, {})
    missing = {*table.missing, *({"images"} if "images" in method.track.inputs and dataset.images is None else ())}
    return Card.of(
        **card_facts(dataset, split, settings),
        track=method.name,
        task=method.task.name,
        labels=method.labels,
        continues=method.continued_run,
        config=json.loads(json.dumps({"track": method.track.name, **method.options}, default=str)),  # as stored
        features=table.identity,
        status="skipped" if missing else "failed",
        reason=f"the data set has no {' and no '.join(sorted(missing))}" if missing else "was not run",
        threads=settings.threads,
        track_sha256=method.sha256,
        versions=library_versions(),
        environment_sha256=environment_sha256(library_versions()),
        source=method.track.source,
        notes=card_notes([*dataset.notes, *split.notes, *table.notes]),
        machine=machine_name(),
    )
