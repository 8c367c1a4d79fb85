"""The command `planktonbench mine`: more examples of novel classes among unlabelled images."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, cast

import typer

from ...data_manifests.errors import DataError, listed
from ...models.protocol.threads import available_cores
from ..console.output import write_message
from .command import Command

if TYPE_CHECKING:
    from ...data_manifests.manifest import Background
    from ..mining.preparation import OpenedMining


def mine_command(  # noqa: PLR0913 - the options of the command
    *,
    examples: Annotated[
        Path, typer.Option(help="CSV file with the columns image (path relative to the file) and taxon.")
    ],
    unlabelled: Annotated[Path, typer.Option(help="Folder, zip or tar file of images, sub-folders included.")],
    out: Annotated[Path, typer.Option(help="CSV file for the ranking: image, taxon, score, rank.")],
    model: Annotated[
        Optional[Path],
        typer.Option(
            help="Folder of a run of an image track that was made with --keep-models.",
            show_default="EfficientNet-Lite0 with ImageNet weights",
        ),
    ] = None,
    answers: Annotated[
        Optional[Path],
        typer.Option(
            help="CSV file with the columns image, taxon, answer (yes or no). With --serve, answers are added to it.",
            show_default="none; with --serve RANKING-answers.csv, beside the ranking",
        ),
    ] = None,
    background: Annotated[
        Optional[str],
        typer.Option(
            help="Background of the images: light or dark.",
            show_default="detected for each image, or that of the model",
        ),
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Show suggestions on a local page, and ask yes or no.")
    ] = False,
    every: Annotated[
        int, typer.Option(min=0, help="With --serve: answers after which images are ranked again; 0 for on request.")
    ] = 10,
    port: Annotated[int, typer.Option(min=0, max=65535, help="With --serve: port.", show_default="any")] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="With --serve: open the page in the browser.")
    ] = True,
    jobs: Annotated[
        int, typer.Option(min=0, help="Number of processes that read images.", show_default="all cores")
    ] = 0,
) -> None:
    """Find further examples of novel classes."""
    from ..mining.preparation import MiningInputs, open_mining
    from ..mining.ranking_file import check_not_overwritten, check_ranking_path, write_ranking

    checked = _background(background, model)
    target = out.expanduser()
    check_ranking_path(target)
    written = (answers or target.with_name(f"{target.stem}-answers.csv")).expanduser()
    for option, path in {"--examples": examples, "--answers": written}.items():
        check_not_overwritten(target, path.expanduser(), option)
    if answers is None and not serve and written.is_file():
        write_message(f"{written} has answers, which are not used; to use them: --answers {written}, or --serve")
    known = written if (written.is_file() if serve else answers is not None) else None
    run = None if model is None else model.expanduser()
    inputs = MiningInputs(
        examples.expanduser(), unlabelled.expanduser(), run, known, checked, jobs or available_cores()
    )
    opened = open_mining(inputs, write_message)
    for name, fault in opened.faults.items():
        write_message(f"cannot be read: {name}: {fault}")
    write_ranking(opened.session, target)
    _print_summary(opened, target)
    if serve:
        _serve(opened, written, every, port, browser=browser)
        write_ranking(opened.session, target)
        _print_summary(opened, target)


def _background(background: str | None, model: Path | None) -> Background | None:
    """Return the background, if it is one.

    Raises:
        DataError: it is not, or it is given together with a model.

    """
    if model is not None and background is not None:
        message = "--background is that of the images of the run if --model is given; leave one of the two out."
        raise DataError(message)
    if background not in {None, "light", "dark"}:
        message = f"--background is '{background}'; expected light or dark, or none to detect it for each image."
        raise DataError(message)
    return cast("Background | None", background)


def _serve(opened: OpenedMining, answers: Path, every: int, port: int, *, browser: bool) -> None:
    """Serve the page until it is finished or interrupted, and rank a last time.

    Raises:
        DataError: the port cannot be used.

    """
    from ..mining.page_state import PageState
    from ..mining.server import MiningServer

    try:
        server = MiningServer(PageState(opened, answers, every), port)
    except OSError as fault:
        message = f"--port {port} cannot be used ({fault.strerror}); choose another, or leave it out."
        raise DataError(message) from fault
    with server:
        typer.echo(f"answers are written to {answers}")
        typer.echo(f"the page, until Finish or Ctrl-C: {server.url}")
        if browser:
            webbrowser.open(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            write_message("interrupted; all answers are stored")
    opened.session.rank()


def _print_summary(opened: OpenedMining, target: Path) -> None:
    session = opened.session
    typer.echo(
        f"{target}: {len(session):,} images ranked for {listed(session.taxa)}; examples: {len(opened.examples):,}, "
        f"imprinted in {opened.imprint_seconds:.2f} s"
    )
    for taxon in session.taxa:
        yes, no = (session.count(taxon, yes=answer) for answer in (True, False))
        if yes or no:
            typer.echo(f"{taxon}: {yes:,} confirmed, {no:,} rejected")
    if opened.faults:
        typer.echo(f"images that cannot be read: {len(opened.faults):,}; they are not in the ranking")


MINE = Command(
    "mine",
    mine_command,
    "planktonbench mine --examples new.csv --unlabelled DIR --out ranking.csv",
    "Find further examples of novel classes among unlabelled images.",
    "Find further examples of novel classes among unlabelled images: a few examples of each class are imprinted, and "
    "all images are ranked by how well they fit. Answers (yes or no) improve the ranking; --serve asks for them on a "
    "page that is reachable from this machine only. Images are embedded once, and cached.",
)
