"""Zip writer of simulated images: identical to the output of the standard library, in constant memory."""

from __future__ import annotations

import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench.data_manifests.simulation import archive as module
from planktonbench.data_manifests.simulation.archive import open_archive

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/\\:"), min_size=1, max_size=30)


def write(path: Path, members: dict[str, bytes]) -> bytes:
    """Write members with `open_archive` and return the bytes."""
    with open_archive(path) as archive:
        for name, content in members.items():
            archive.add(name, content)
    return path.read_bytes()


def expected(path: Path, members: dict[str, bytes]) -> bytes:
    """Write members with `zipfile` and return the bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.create_system = module.UNIX
            archive.writestr(member, content)
    return path.read_bytes()


@given(members=st.dictionaries(NAMES, st.binary(max_size=200), max_size=8))
@settings(max_examples=60, deadline=None)
def test_archives_are_identical_to_those_of_the_standard_library(
    tmp_path_factory: pytest.TempPathFactory, members: dict[str, bytes]
) -> None:
    """For any names and contents, including an empty archive."""
    folder = tmp_path_factory.mktemp("zip")

    assert write(folder / "ours.zip", members) == expected(folder / "theirs.zip", members)


@pytest.mark.parametrize("limits", [(1000, 10_000), (10**9, 20), (1000, 20)], ids=["large", "many", "both"])
def test_large_archives_are_identical_to_those_of_the_standard_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int]
) -> None:
    """Offsets beyond 2 GiB and more than 65,535 members are simulated by lowering these limits in both writers."""
    for ours, theirs, limit in zip(("LARGE", "MANY"), ("ZIP64_LIMIT", "ZIP_FILECOUNT_LIMIT"), limits, strict=True):
        monkeypatch.setattr(module, ours, limit)
        monkeypatch.setattr(zipfile, theirs, limit)
    members = {f"imgs/{number}.png": bytes([number]) * 90 for number in range(30)}

    assert write(tmp_path / "ours.zip", members) == expected(tmp_path / "theirs.zip", members)
    with zipfile.ZipFile(tmp_path / "ours.zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == members


def test_more_members_than_a_plain_record_can_count(tmp_path: Path) -> None:
    """70,000 members can be read back."""
    write(tmp_path / "many.zip", {f"{number}": b"" for number in range(70_000)})

    with zipfile.ZipFile(tmp_path / "many.zip") as archive:
        assert len(archive.namelist()) == 70_000
        assert archive.testzip() is None


def test_memory_does_not_grow_with_the_number_of_members(tmp_path: Path) -> None:
    """After the first thousand members, nineteen thousand more take less than a byte each."""
    with open_archive(tmp_path / "a.zip") as archive:
        tracemalloc.start()
        for number in range(1000):
            archive.add(f"imgs/{number}.png", b"x" * 50)
        before = allocated_bytes()
        for number in range(1000, 20_000):
            archive.add(f"imgs/{number}.png", b"x" * 50)
        after = allocated_bytes()
        tracemalloc.stop()

    assert after - before < 19_000


def allocated_bytes() -> int:
    """Return the memory that the writer holds, without that of other threads."""
    here = [tracemalloc.Filter(True, module.__file__), tracemalloc.Filter(True, zipfile.__file__)]  # noqa: FBT003
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(here).traces)


def test_a_failure_leaves_no_valid_archive(tmp_path: Path) -> None:
    """An incomplete file cannot be mistaken for a complete archive, and no other files are left behind."""

    def fail() -> None:
        with open_archive(tmp_path / "a.zip") as archive:
            archive.add("imgs/1.png", b"x")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not zipfile.is_zipfile(tmp_path / "a.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
