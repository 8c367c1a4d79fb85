"""Tests that run the code blocks of the README and the docs on a small data set."""

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
    """Fenced code block; `file` is the file name in the comment on its first line, or an empty string."""

    language: str
    text: str
    file: str


def blocks(page: str) -> list[Block]:
    """Return the code blocks of a page, in order."""
    found = FENCE.findall((ROOT / page).read_text("utf-8"))
    named = [(language, text, NAMED.match(text)) for language, text in found]
    return [Block(language, text, name.group(1) if name else "") for language, text, name in named]


class Reader:
    """User who follows a page in an empty folder, with planktonbench on the path and FlowCam data installed."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder = folder
        home = folder.parent / "home"
        home.mkdir()
        for link in (home / "flowcam", folder / "DIR"):
            link.symlink_to(data)
        command = home / "planktonbench"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m planktonbench "$@"\n', encoding="utf-8")
        command.chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": f"{home}{os.pathsep}{os.environ['PATH']}",
            "PLANKTONBENCH_DATA": str(home),
            "PYTHONPATH": str(folder),
        }

    def execute(self, block: Block) -> None:
        """Save a block with a file name, and run any other."""
        if block.file:
            (self.folder / block.file).write_text(block.text, encoding="utf-8")
        if block.language == "toml":
            self._install(tomllib.loads(block.text)["project"])
        elif block.language == "sh":
            self._run(["sh", "-e", "-c", block.text])
        elif block.language == "python" and not block.file:
            self._run([sys.executable, "-c", block.text])

    def _install(self, project: dict[str, dict[str, dict[str, str]]]) -> None:
        """Write the metadata and entry points of an installed project."""
        target = self.folder / f"{project['name']}-{project['version']}.dist-info"
        target.mkdir()
        (target / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8")
        groups = [
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
            for group, entries in project["entry-points"].items()
        ]
        (target / "entry_points.txt").write_text("".join(groups), encoding="utf-8")

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

        assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"


@pytest.fixture
def reader(tmp_path: Path, challenge: Path) -> Reader:
    """Return a reader with a small data set."""
    (tmp_path / "reader").mkdir()
    return Reader(tmp_path / "reader", challenge)


@pytest.mark.parametrize("page", ["docs/your-method.md", "docs/ten-minutes.md"])
def test_all_code_of_a_page_works(page: str, reader: Reader) -> None:
    """Every sh, python and toml block runs, in the order of the page."""
    found = blocks(page)

    assert any(block.language == "sh" for block in found)
    for block in found:
        reader.execute(block)


def test_python_code_of_the_readme_works(reader: Reader) -> None:
    """Python blocks run unchanged, with a data folder named DIR, as do the commands that use the saved files."""
    saved: list[str] = []
    for block in blocks("README.md"):
        if block.language == "python":
            reader.execute(block)
            saved += [block.file] if block.file else []
        elif any(file in block.text for file in saved):
            reader.execute(block)

    assert saved
