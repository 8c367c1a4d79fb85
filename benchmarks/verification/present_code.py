"""Differences between the code and environment of stored runs and those of this installation, which are no errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...models.registry import get_track, track_names
from ..execution.environment import code_sha256, library_versions
from ..execution.method import Method

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...reports.run_files.card import Card


def differences_from_present(card: Card) -> Iterator[str]:
    """Yield how code and environment of a run differ from the present ones, as far as its card states them."""
    changed = [
        f"{name} {version} → {library_versions()[name]}"
        for name, version in sorted(card.versions.items())
        if library_versions().get(name, version) != version
    ]
    if changed:
        yield f"made with other versions: {', '.join(changed)}"
    if card.hashes.code not in {"", code_sha256()}:
        yield "executed and stored by other code of planktonbench"
    name = card.track.config.get("track", "")
    if card.track.is_submitted:
        yield "predictions submitted as a file: how they were made is not known"
    elif name in track_names():
        if Method(card.track.name, get_track(name), name, {}).sha256 != card.track.sha256:
            yield "the source code of the track has changed since"
    else:
        yield "the track is not installed here, so its source code is not compared"
    if not card.hashes.tables and card.status == "done":
        yield "the card is of an earlier version and has no hashes of tables and truth"
