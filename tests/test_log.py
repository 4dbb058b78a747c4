"""An admin can send a log file to anybody: no secret stands in it."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.log import start_logging


@pytest.fixture(autouse=True)
def _restore_root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def _logged(folder: Path, message: str, *, style: str = "console") -> str:
    start_logging(folder, level="INFO", style=style, secrets=["s3cret-token"])  # type: ignore[arg-type]  # both styles
    logging.getLogger("bot").warning("%s", message)
    return (folder / "bot.log").read_text("utf-8")


@pytest.mark.parametrize(
    ("message", "secret"),
    [
        ("login with s3cret-token failed", "s3cret-token"),
        ("cannot reach postgresql+asyncpg://bot:hunter2@db/bot", "hunter2"),
        ("POST https://x/api/v10/webhooks/123/aW50ZXJhY3Rpb24?wait=1", "aW50ZXJhY3Rpb24"),
        ("node reads http://127.0.0.1:9/media/abc.def-ghi", "abc.def-ghi"),
        ("token " + "a" * 24 + ".bbbbbb." + "c" * 38, "c" * 38),
    ],
)
def test_log_line_with_a_secret_shows_stars(tmp_path: Path, message: str, secret: str) -> None:
    written = _logged(tmp_path, message)
    assert secret not in written
    assert "***" in written


def test_log_in_json_is_one_object_a_line(tmp_path: Path) -> None:
    written = _logged(tmp_path, 'a "quoted"\nmessage', style="json")
    line = json.loads(written)
    assert line["message"] == 'a "quoted"\nmessage'
    assert line["level"] == "WARNING"


def test_log_keeps_the_traceback(tmp_path: Path) -> None:
    start_logging(tmp_path, level="INFO", style="console", secrets=[])
    try:
        int("three")
    except ValueError:
        logging.getLogger("bot").exception("it broke")
    assert "ValueError: invalid literal" in (tmp_path / "bot.log").read_text("utf-8")
