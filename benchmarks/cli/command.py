"""A command of the command line: its function and its help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer


@dataclass(frozen=True)
class Command:
    """One command, defined in its module and registered by `app`.

    Attributes:
        name: name on the command line.
        function: implementation; Typer reads its signature.
        example: first line of the help, which works when pasted.
        short_help: line in the list of commands.
        help: description that follows the example; the short help if empty.

    """

    name: str
    function: Callable[..., None]
    example: str
    short_help: str
    help: str = ""

    def add_to(self, app: typer.Typer) -> None:
        """Register the command with an application."""
        text = f"{self.example}\n\n{self.help or self.short_help}"
        app.command(self.name, short_help=self.short_help, help=text)(self.function)
