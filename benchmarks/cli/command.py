"""A command of the command line: its function, and its help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer


@dataclass(frozen=True)
class Command:
    """One command, as its module offers it and `app` registers it.

    Attributes:
        name: the word that is typed.
        function: does it; Typer reads its signature.
        example: a line that works when pasted, the first of the help.
        short_help: its line in the list of commands.
        help: what it does, behind the example; the short help when empty.

    """

    name: str
    function: Callable[..., None]
    example: str
    short_help: str
    help: str = ""

    def add_to(self, app: typer.Typer) -> None:
        """Register the command."""
        text = f"{self.example}\n\n{self.help or self.short_help}"
        app.command(self.name, short_help=self.short_help, help=text)(self.function)
