"""The command `data fetch` without downloads; tests with downloads are in tests/data_manifests/fetching."""

from __future__ import annotations

import pytest
from planktonbench.benchmarks.cli.app import main


def test_a_data_set_that_is_not_public_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2; the licence is printed first, then the reason."""
    assert main(["data", "fetch", "flowcam"]) == 2

    err = capsys.readouterr().err
    assert "licence: not stated by the publisher" in err
    assert "The files of 'flowcam' cannot be fetched: its manifest lists no downloads." in err


@pytest.mark.parametrize(("name", "near"), [("zooscanet", "zooscannet"), ("flowcamnett", "flowcamnet")])
def test_a_mistyped_name_gets_near_matches(capsys: pytest.CaptureFixture[str], name: str, near: str) -> None:
    """The name is checked before any request to a server."""
    assert main(["data", "fetch", name]) == 2

    assert f"Did you mean {near}" in capsys.readouterr().err
