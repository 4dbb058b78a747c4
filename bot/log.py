"""Logs for the admin: console and daily files, 30 kept, with no secret in them."""

import json
import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from logging.handlers import TimedRotatingFileHandler
from pathlib import Path
from typing import Literal, override

_FILES_KEPT = 30

_PATTERNS = (
    # user:password@host in any address
    (re.compile(r"(?P<keep>://[^\s/:@]*):[^\s/@]+@"), r"\g<keep>:***@"),
    # interaction and webhook tokens are credentials for 15 minutes
    (re.compile(r"(?P<keep>/(?:webhooks|interactions)/\d+)/[^\s/?]+"), r"\g<keep>/***"),
    # signed links of the media relay
    (re.compile(r"(?P<keep>/media/)[^\s?/]+"), r"\g<keep>***"),
    # anything that looks like a Discord bot token
    (re.compile(r"[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}"), "***"),
)


class _Redactor:
    """Replaces known secrets, and what looks like one, by stars."""

    def __init__(self, secrets: Iterable[str]) -> None:
        words = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, words))) if words else None

    def __call__(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub("***", text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


class _ConsoleFormatter(logging.Formatter):
    def __init__(self, redact: _Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")
        self._redact = redact

    @override
    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


class _JsonFormatter(logging.Formatter):
    def __init__(self, redact: _Redactor) -> None:
        super().__init__()
        self._redact = redact

    @override
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return self._redact(json.dumps(line, ensure_ascii=False))


class _PatientFileHandler(TimedRotatingFileHandler):
    """A daily file that gives up silently while the disk is full, and goes on when it is not."""

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        if isinstance(sys.exc_info()[1], OSError):
            return
        super().handleError(record)


def start_logging(
    folder: Path, *, level: str, style: Literal["console", "json"], secrets: Iterable[str]
) -> None:
    """Send all log records to the console and to a daily file in `folder`.

    Raises:
        OSError: the folder or the file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    redact = _Redactor(secrets)
    formatter = _JsonFormatter(redact) if style == "json" else _ConsoleFormatter(redact)
    console = logging.StreamHandler(sys.stderr)
    file = _PatientFileHandler(
        folder / "bot.log", when="midnight", backupCount=_FILES_KEPT, encoding="utf-8", utc=True
    )
    root = logging.getLogger()
    root.handlers.clear()
    root.setLevel(level)
    for handler in (console, file):
        handler.setFormatter(formatter)
        root.addHandler(handler)
    logging.captureWarnings(capture=True)
    for noisy in ("aiosqlite", "asyncio", "aiohttp.access", "sqlalchemy", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
