"""Stored runs of simulated methods for the analyses of weight imprinting and of sub-classes."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench.reports.results.stored_run import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from planktonbench.reports.results.stored_run import StoredRun

BASE = [f"base {k}" for k in range(4)]
LOW_SHOT = [f"rare {k}" for k in range(4)]
SECONDS = {"imprint-base": 60.0, "imprint-bl": 40.0}
TAXA = dict.fromkeys(BASE, 90) | dict.fromkeys(LOW_SHOT, 24)


def recogniser(base: float, low_shot: float, into: str, seed: int) -> Callable[[pd.Series], Sequence[str]]:
    """Return a function that recognises a share of the objects of either group, at random.

    The others are predicted as a class of the group `into`, the next but one after that with the same number.
    """
    rng = np.random.default_rng(seed)

    def predict(taxa: pd.Series) -> list[str]:
        right = rng.random(len(taxa)) < np.where(taxa.isin(BASE), base, low_shot)
        return [
            taxon if of else f"{into} {(int(taxon[-1]) + 2) % len(BASE)}" for taxon, of in zip(taxa, right, strict=True)
        ]

    return predict


@pytest.fixture
def imprinting_runs(tmp_path: Path, add_run: Callable[..., Path]) -> Callable[..., list[StoredRun]]:
    """Return a function that stores runs of methods with these shares of recognised objects and reads them.

    Methods have (share of base classes, share of low-shot classes, group of wrong predictions); those whose name
    begins with `imprint` state base classes.
    """

    def make(methods: Mapping[str, tuple[float, float, str]], seeds: Sequence[int] = (0, 1, 2)) -> list[StoredRun]:
        for name, shares in methods.items():
            for seed in seeds:
                chosen = {
                    "base_classes": BASE, "low_shot_classes": LOW_SHOT, "threshold": 20, "imprint_seconds": 0.25,
                    "best_epoch": 15 if name.endswith("-64") else 10,
                } if name.startswith("imprint") else None  # fmt: skip
                predict = recogniser(*shares, seed=zlib.crc32(f"{name}{seed}".encode()))
                continued = {"continues": "imprint-base", "base_runs": {"imprint-base": "hash"}}
                add_run(tmp_path, name, taxa=TAXA, samples=0, seed=seed, predict=predict, chosen=chosen,
                        fit_seconds=SECONDS.get(name, 18.0) + seed,
                        **(continued if name.startswith(("imprint-mi", "imprint-ri")) else {}))  # fmt: skip
        return read_runs(tmp_path)

    return make
