"""Remembers the sessions that the nodes gave us, so that a new process can resume them."""

import asyncio
import contextlib
import json
import logging
import os
from pathlib import Path

_log = logging.getLogger(__name__)


class NodeSessions:
    """Session ids by node address, in a small file that only the owner can read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ids = self._read()
        self._turn = asyncio.Lock()

    def get(self, uri: str) -> str | None:
        """Return the id of the last session with that node."""
        return self._ids.get(uri)

    async def save(self, uri: str, session_id: str) -> None:
        """Remember the id; a file that cannot be written is logged and nothing more."""
        if self._ids.get(uri) == session_id:
            return
        self._ids[uri] = session_id
        async with self._turn:
            await asyncio.to_thread(self._write, json.dumps(self._ids))

    def _read(self) -> dict[str, str]:
        with contextlib.suppress(OSError, ValueError):
            content = json.loads(self._path.read_text(encoding="utf-8"))
            if isinstance(content, dict):
                return {str(uri): str(session_id) for uri, session_id in content.items()}
        return {}

    def _write(self, content: str) -> None:
        draft = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with os.fdopen(os.open(draft, flags, 0o600), "w", encoding="utf-8") as file:
                file.write(content)
            draft.replace(self._path)
        except OSError as error:
            _log.warning("node sessions are not remembered: %s", error)
