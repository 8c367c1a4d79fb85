"""The commands `planktonbench suites …`: the shipped suites and their contents."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console.output import print_table
from .command import Command


def list_command() -> None:
    """List the shipped suites with their data sets and tracks."""
    from ..suites.suite import load_suite, suite_names

    suites = [load_suite(name) for name in suite_names()]
    rows = [
        (
            suite.name,
            ", ".join(entry.name for entry in suite.dataset_entries()),
            suite.split.name,
            ", ".join(map(str, suite.seeds)),
            str(len(suite.tracks)),
        )
        for suite in suites
    ]
    print_table(("suite", "data sets", "split", "seeds", "tracks"), rows)


def show_command(
    name: Annotated[str, typer.Argument(help="A shipped suite, such as flowcam, or the path of a YAML file.")],
) -> None:
    """Show the file of a suite and its tracks with all options."""
    from ..planning.methods import choose_methods
    from ..suites.suite import load_suite, suite_text

    typer.echo(suite_text(name))
    methods = choose_methods(load_suite(name), None, quick=False)
    options = [", ".join(f"{key}={value!r}" for key, value in method.options.items()) for method in methods]
    print_table(("track", "options"), [(one.name, text) for one, text in zip(methods, options, strict=True)])


LIST = Command(
    "list",
    list_command,
    "planktonbench suites list",
    "List the shipped suites.",
    "List the shipped suites with their data sets, split, seeds and number of tracks.",
)
SHOW = Command(
    "show",
    show_command,
    "planktonbench suites show flowcam",
    "Show a suite.",
    "Show the file of a suite, as a template for your own, and the options of its tracks with their defaults.",
)
