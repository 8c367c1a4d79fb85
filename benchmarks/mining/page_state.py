"""What the page of a mining session shows and does, without HTTP; its methods can be called by several threads."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

from ...data_manifests.errors import DataError
from .answers import Answer, write_answers
from .thumbnails import thumbnail

if TYPE_CHECKING:
    from pathlib import Path

    from .preparation import OpenedMining

SHOWN = 60  # suggestions on the page
RECENT = 20  # answers of which the share of yes is shown


class PageState:
    """State of the page: suggestions, answers, and the number of answers since the last ranking.

    Args:
        opened: the session with its images.
        answers: file to which all answers are written after each one.
        every: number of answers after which images are ranked again; 0 for only on request.

    """

    def __init__(self, opened: OpenedMining, answers: Path, every: int) -> None:
        self._opened = opened
        self._session = opened.session
        self._answers = answers
        self._every = every
        self._since = 0
        self._lock = RLock()

    def shown(self, taxon: str | None = None) -> dict[str, Any]:
        """Return all that the page shows for a class, by default the first.

        Raises:
            DataError: there is no such class.

        """
        with self._lock:
            chosen = self._session.taxa[0] if taxon is None else self._known(taxon)
            return {
                "taxon": chosen,
                "taxa": [self._progress(one) for one in self._session.taxa],
                "images": len(self._session),
                "remaining": self._session.remaining(chosen),
                "recent": self._recent(chosen),
                "since": self._since,
                "every": self._every,
                "examples": [row for row, one in enumerate(self._opened.examples) if one.taxon == chosen],
                "confirmed": self._confirmed(chosen),
                "suggestions": [self._described(chosen, row) for row in self._session.suggestions(chosen, SHOWN)],
                "can_undo": bool(self._session.answers),
            }

    def answer(self, image: int, taxon: str, *, yes: bool) -> dict[str, Any]:
        """Add an answer, write all answers, and rank again if it is time to.

        Raises:
            DataError: there is no such image or class, or the file cannot be written.

        """
        with self._lock:
            before = list(self._session.answers)
            self._session.answer(Answer(self._name(image), self._known(taxon), yes))
            self._write(before)
            self._since += 1
            ranked = bool(self._every) and self._since >= self._every
            if ranked:
                self._rank()
            return {**self.shown(taxon), "ranked": ranked}

    def undo(self) -> dict[str, Any]:
        """Take the last answer back, write the others, and return its image as `undone`; None if there is none.

        Raises:
            DataError: the file cannot be written.

        """
        with self._lock:
            before = list(self._session.answers)
            taken = self._session.undo()
            if taken is None:
                return {**self.shown(), "undone": None}
            self._write(before)
            self._since = max(0, self._since - 1)
            row = self._session.position(taken.image)
            return {**self.shown(taken.taxon), "undone": self._described(taken.taxon, row)}

    def rank(self, taxon: str) -> dict[str, Any]:
        """Rank all images again.

        Raises:
            DataError: there is no such class.

        """
        with self._lock:
            self._known(taxon)
            self._rank()
            return {**self.shown(taxon), "ranked": True}

    def picture(self, row: int) -> bytes | None:
        """Return an unlabelled image as PNG; None if there is none or it cannot be read."""
        if not 0 <= row < len(self._session):
            return None
        try:
            return thumbnail(self._opened.store.read_bytes(self._opened.object_ids[row]))
        except DataError:
            return None

    def example(self, row: int) -> bytes | None:
        """Return an example as PNG; None if there is none or it cannot be read."""
        if not 0 <= row < len(self._opened.examples):
            return None
        try:
            return thumbnail(self._opened.examples[row].path.read_bytes())
        except OSError:
            return None

    def _rank(self) -> None:
        self._session.rank()
        self._since = 0

    def _write(self, before: list[Answer]) -> None:
        """Write the answers; if that fails, restore those of before, so that page and file agree."""
        try:
            write_answers(self._answers, self._session.answers)
        except DataError:
            self._session.answers = before
            raise

    def _known(self, taxon: str) -> str:
        if taxon not in self._session.taxa:
            message = f"There is no class '{taxon}'; expected one of {', '.join(self._session.taxa)}."
            raise DataError(message)
        return taxon

    def _name(self, image: int) -> str:
        if not 0 <= image < len(self._session):
            message = f"There is no image {image}; expected a number from 0 to {len(self._session) - 1}."
            raise DataError(message)
        return str(self._session.names[image])

    def _progress(self, taxon: str) -> dict[str, Any]:
        return {
            "name": taxon,
            "yes": self._session.count(taxon, yes=True),
            "no": self._session.count(taxon, yes=False),
            "examples": sum(one.taxon == taxon for one in self._opened.examples),
        }

    def _recent(self, taxon: str) -> dict[str, int]:
        """Return how many of the last answers for a class there are, and how many of them are yes."""
        recent = [one.yes for one in self._session.answers if one.taxon == taxon][-RECENT:]
        return {"answers": len(recent), "yes": sum(recent)}

    def _confirmed(self, taxon: str) -> list[int]:
        """Return the positions of the images confirmed last, the latest first."""
        images = [one.image for one in self._session.answers if one.taxon == taxon and one.yes]
        return [self._session.position(image) for image in reversed(images[-RECENT:])]

    def _described(self, taxon: str, row: int) -> dict[str, Any]:
        return {
            "image": row,
            "name": str(self._session.names[row]),
            "score": round(self._session.score(taxon, row), 3),
        }
