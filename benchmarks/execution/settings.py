"""Settings of a run: the options of `planktonbench run`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...models.protocol.threads import available_cores
from ..console.progress import Progress, progress_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ...models.protocol.track import Track


@dataclass(frozen=True)
class Settings:
    """Settings of a run, given by the options of `planktonbench run`.

    `predictions` maps names of runs to predictions files; `scheduler` is the address of a Dask scheduler, empty for
    worker processes on this machine. `keep_models` stores the model of each run whose track can be kept. `name` and
    `citation` are those of the only data set; None means those of its manifest.
    """

    out: Path | None = None
    data_dir: Path | None = None
    tracks: Sequence[str | type[Track]] | None = None
    predictions: Mapping[str, Path] = field(default_factory=dict)
    quick: bool = False
    jobs: int = 1
    force: bool = False
    verbose: bool = False
    scheduler: str = ""
    keep_models: bool = False
    name: str | None = None
    citation: str | None = None
    progress: Progress = field(default_factory=lambda: progress_for(sys.stderr))

    @property
    def threads(self) -> int:
        """Number of threads per worker."""
        return max(1, available_cores() // self.jobs)
