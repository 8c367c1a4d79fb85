"""Fixtures and hooks for all tests: small synthetic data sets, an isolated cache, and the test order."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHARED = Path(__file__).resolve().parents[2] / "shared"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
TAXA = {"Copepoda": 30, "detritus": 60, "egg (other)": 12, "Retaria": 3, "Bacteriastrum": 2}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run long tests first."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Isolate tests from the user's cache and data."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.delenv("PLANKTONBENCH_DATA", raising=False)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """An installed Chromium in headless mode."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = os.environ.get("PLANKTONBENCH_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"found no {' or '.join(BROWSERS)} on the path, and PLANKTONBENCH_CHROMIUM is not set")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, args=["--no-sandbox"], timeout=300_000)
        yield started
        started.close()


@pytest.fixture
def kept_run() -> Callable[..., Path]:
    """Return a function that writes a run with an untrained network, `kept_run(folder, track, **options)`.

    Its classes are bar, disc, "never seen" (without output) and ring; its images are 32 px, light and cropped.
    """

    def keep(folder: Path, name: str, **options: object) -> Path:
        import keras
        from planktonbench.models.kept.model_facts import MODEL, ModelFacts
        from planktonbench.models.networks.network import network
        from planktonbench.models.registry import get_track

        keras.utils.set_random_seed(0)
        track, trained = get_track(name)(**options), np.array([0, 1, 3])
        sizes = np.ones((5, 3), np.float32) if options.get("with_size") else None
        track._model = network(track.design(), track.recipe, len(trained), sizes=sizes, seed=0)  # type: ignore[attr-defined]
        track._codes = trained  # type: ignore[attr-defined]
        (folder / MODEL).mkdir(parents=True)
        track.save(folder / MODEL)
        form = {"side": 32, "resize": "shrink", "threshold": None, "crop": True, "channels": "grey"}
        facts = {"image_form": form, "image_source": {"background": "light"}, "options": options}
        classes = ("bar", "disc", "never seen", "ring")
        ModelFacts(name=name, reference=name, classes=classes, **facts).write(folder / MODEL)  # type: ignore[arg-type]
        return folder

    return keep


@pytest.fixture
def station40() -> Path:
    """Return the folder of a real FlowCam run in the challenge layout."""
    folder = SHARED / "data" / "flowcam-station40"
    if not folder.is_dir():
        pytest.skip(f"the real data are not at {folder}")
    return folder


def challenge_tables(*, seed: int = 0, samples: int = 5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a synthetic meta table and native table in the challenge layout; ids are floats in the native table."""
    rng = np.random.default_rng(seed)
    taxa = np.repeat(list(TAXA), list(TAXA.values()))
    n = len(taxa)
    codes = np.repeat(np.arange(len(TAXA)), list(TAXA.values()))
    ids = rng.permutation(np.arange(1000, 1000 + n))
    meta = pd.DataFrame(
        {
            "objid": ids,
            "projid": 1,
            "latitude": 43.5,
            "objdate": [f"2020-01-{1 + day:02d}" for day in rng.integers(0, samples, n)],
            "unique_name": taxa,
            "lineage": [f"living>{taxon}" for taxon in taxa],
            "level2": taxa,
        }
    )
    area = 100 * (1 + codes) + rng.normal(0, 30, n)
    native = pd.DataFrame(
        {
            "objid": ids.astype(float),
            "area": area,
            "filled_area": 2 * area + rng.normal(0, 0.1, n),
            "mean": 200 - 20 * codes + rng.normal(0, 10, n),
            "noise": rng.normal(size=n),
            "constant": 1.0,
        }
    )
    return meta, native.sample(frac=1, random_state=seed)


def write_challenge(folder: Path, meta: pd.DataFrame, native: pd.DataFrame, *, images: bool = True) -> Path:
    """Write a data set in the challenge layout, one small image per object."""
    folder.mkdir(parents=True, exist_ok=True)
    meta.to_csv(folder / "meta.csv", index=False)
    native.to_csv(folder / "features_native.csv", index=False)
    if images:
        with zipfile.ZipFile(folder / "imgs.zip", "w") as archive:
            for number in meta["objid"].drop_duplicates():
                picture = np.full((4, 5), int(number) % 256, np.uint8)
                archive.writestr(f"imgs/{number}.png", cv2.imencode(".png", picture)[1].tobytes())
    return folder


@pytest.fixture
def challenge(tmp_path: Path) -> Path:
    """Return a folder in the challenge layout with 107 objects, 5 taxa and 5 samples."""
    return write_challenge(tmp_path / "data", *challenge_tables())


@pytest.fixture(scope="session")
def shared_challenge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of `challenge` for tests that do not change it."""
    return write_challenge(tmp_path_factory.mktemp("challenge") / "data", *challenge_tables())


@pytest.fixture
def make_challenge(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes modified tables: `make_challenge(meta=..., native=...)`, functions or None."""

    def make(
        meta: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
        native: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
        *,
        images: bool = True,
        name: str = "changed",
    ) -> Path:
        objects, features = challenge_tables()
        objects = meta(objects) if meta else objects
        features = native(features) if native else features
        return write_challenge(tmp_path / name, objects, features, images=images)

    return make
