"""The pieces of code in README and docs are run as a reader would run them, on a tiny data set."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# (\S+\.(?:py|toml))\n")


class Block(NamedTuple):
    """A fenced piece of code: its language, its text, and the file that its first line names, or ""."""

    language: str
    text: str
    file: str


def blocks(page: str) -> list[Block]:
    """Return the fenced pieces of a page, in order."""
    found = FENCE.findall((ROOT / page).read_text("utf-8"))
    named = [(language, text, NAMED.match(text)) for language, text in found]
    return [Block(language, text, name.group(1) if name else "") for language, text, name in named]


class Reader:
    """Somebody who does what a page says, in an empty folder, with the command on the path and FlowCam data at home."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder = folder
        home = folder.parent / "home"
        home.mkdir()
        for place in (home / "flowcam", folder / "DIR"):
            place.symlink_to(data)
        command = home / "planktonbench"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m planktonbench "$@"\n', encoding="utf-8")
        command.chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": f"{home}{os.pathsep}{os.environ['PATH']}",
            "PLANKTONBENCH_DATA": str(home),
            "PYTHONPATH": str(folder),
        }

    def does(self, block: Block) -> None:
        """Save a named piece, and run any other."""
        if block.file:
            (self.folder / block.file).write_text(block.text, encoding="utf-8")
        if block.language == "toml":
            self._installs(tomllib.loads(block.text)["project"])
        elif block.language == "sh":
            self._runs(["sh", "-e", "-c", block.text])
        elif block.language == "python" and not block.file:
            self._runs([sys.executable, "-c", block.text])

    def _installs(self, project: dict[str, dict[str, dict[str, str]]]) -> None:
        """Write what an installer writes of a project's entry points."""
        place = self.folder / f"{project['name']}-{project['version']}.dist-info"
        place.mkdir()
        (place / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8")
        groups = [
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
            for group, entries in project["entry-points"].items()
        ]
        (place / "entry_points.txt").write_text("".join(groups), encoding="utf-8")

    def _runs(self, command: list[str]) -> None:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

        assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"


@pytest.fixture
def reader(tmp_path: Path, challenge: Path) -> Reader:
    """A reader with a tiny data set."""
    (tmp_path / "reader").mkdir()
    return Reader(tmp_path / "reader", challenge)


@pytest.mark.parametrize("page", ["docs/your-method.md", "docs/ten-minutes.md"])
def test_a_page_works_from_its_first_line_to_its_last(page: str, reader: Reader) -> None:
    """Each piece of sh, python and toml runs, in the order of the page."""
    found = blocks(page)

    assert any(block.language == "sh" for block in found)
    for block in found:
        reader.does(block)


def test_the_methods_of_the_readme(reader: Reader) -> None:
    """Its pieces of Python run as they stand, DIR being a folder of data, and so do the commands that use them."""
    saved: list[str] = []
    for block in blocks("README.md"):
        if block.language == "python":
            reader.does(block)
            saved += [block.file] if block.file else []
        elif any(file in block.text for file in saved):
            reader.does(block)

    assert saved
