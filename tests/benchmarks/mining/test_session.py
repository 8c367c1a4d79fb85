"""Mining sessions: what is suggested, answered and ranked again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planktonbench.benchmarks.mining.answers import Answer

if TYPE_CHECKING:
    from planktonbench.benchmarks.mining.preparation import OpenedMining

DISC, SQUARE = "disc <i>", "square"


def discs(opened: OpenedMining, count: int = 20) -> int:
    """Return the number of discs among the first suggestions."""
    names = opened.session.names[opened.session.suggestions(DISC, count)]
    return sum(int(name[:2]) % 4 == 0 for name in names)


def test_the_table_has_every_image_for_every_class(opened: OpenedMining) -> None:
    """Ranks start at 1 within each class, scores fall, and images that are examples are left out."""
    table = opened.session.table()

    assert list(table.columns) == ["image", "taxon", "score", "rank"]
    for taxon in (DISC, SQUARE):
        rows = table[table["taxon"] == taxon]
        assert rows["rank"].tolist() == list(range(1, 100))
        assert rows["score"].is_monotonic_decreasing
        assert sorted(rows["image"]) == [f"{number:02d}.png" for number in range(1, 100)]


def test_answers_change_the_next_ranking(opened: OpenedMining) -> None:
    """Right answers to the first suggestions make the next ones better; until then, the order remains."""
    session, before = opened.session, discs(opened)
    order = session.suggestions(DISC, 100)
    for position in order[:20]:
        name = str(session.names[position])
        session.answer(Answer(name, DISC, yes=int(name[:2]) % 4 == 0))

    assert session.suggestions(DISC, 100) == order[20:]
    session.rank()
    found = sum(one.yes for one in session.answers)
    assert discs(opened, 24 - found) / (24 - found) > before / 20
    assert session.remaining(DISC) == 79


def test_confirmed_images_are_suggested_for_no_class(opened: OpenedMining) -> None:
    """Rejected images are, for other classes."""
    session = opened.session
    session.answer(Answer("04.png", DISC, yes=True))
    session.answer(Answer("05.png", DISC, yes=False))
    session.rank()
    suggested = {taxon: set(session.names[session.suggestions(taxon, 100)]) for taxon in (DISC, SQUARE)}

    assert not {"04.png", "05.png"} & suggested[DISC]
    assert "05.png" in suggested[SQUARE]
    assert "04.png" not in suggested[SQUARE]
    assert len(session.table()) == 97 + 98


def test_an_answer_replaces_an_earlier_one(opened: OpenedMining) -> None:
    """For the same class, and a yes for another class, since an image is of one class."""
    session = opened.session
    session.answer(Answer("04.png", DISC, yes=False))
    session.answer(Answer("04.png", DISC, yes=True))
    session.answer(Answer("04.png", SQUARE, yes=False))
    assert session.answers == [Answer("04.png", DISC, yes=True), Answer("04.png", SQUARE, yes=False)]

    session.answer(Answer("04.png", SQUARE, yes=True))
    assert session.answers == [Answer("04.png", SQUARE, yes=True)]


def test_undo_takes_the_last_answer_back(opened: OpenedMining) -> None:
    """Its image is suggested again; without answers nothing happens."""
    session = opened.session
    order = session.suggestions(DISC, 100)
    session.answer(Answer(str(session.names[order[0]]), DISC, yes=True))

    assert session.undo() == Answer(str(session.names[order[0]]), DISC, yes=True)
    assert session.suggestions(DISC, 100) == order
    assert session.undo() is None
