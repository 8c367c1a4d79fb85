"""Catalogue of the tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...data_manifests.errors import TrackError, did_you_mean
from .classification import Classification
from .clustering import Clustering

if TYPE_CHECKING:
    from .task import Task

TASKS: tuple[Task, ...] = (Classification(), Clustering())


def task_named(name: str) -> Task:
    """Return a task by its name.

    Raises:
        TrackError: there is none of that name; near matches are suggested.

    """
    for task in TASKS:
        if task.name == name:
            return task
    message = f"There is no task named '{name}'. {did_you_mean(name, [task.name for task in TASKS])}"
    raise TrackError(message)
