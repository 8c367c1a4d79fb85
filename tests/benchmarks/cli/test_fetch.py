"""`planktonbench data fetch`, where nothing is to be fetched; a whole fetch is in the tests of data_manifests."""

from __future__ import annotations

import pytest
from planktonbench.benchmarks.cli.app import main


def test_a_set_that_is_not_public_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, the licence first, and where the files come from."""
    assert main(["data", "fetch", "flowcam"]) == 2

    told = capsys.readouterr().err
    assert "licence: not stated by the publisher" in told
    assert "The files of 'flowcam' cannot be fetched: its manifest names no download." in told


@pytest.mark.parametrize(("name", "near"), [("zooscanet", "zooscannet"), ("flowcamnett", "flowcamnet")])
def test_a_mistyped_name_gets_near_matches(capsys: pytest.CaptureFixture[str], name: str, near: str) -> None:
    """Before anything is asked of any server."""
    assert main(["data", "fetch", name]) == 2

    assert f"Did you mean {near}" in capsys.readouterr().err
