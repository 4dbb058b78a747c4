"""A process beside the benchmark that does one thing and answers questions about it.

Question and answer are one JSON line each, over its standard input and output; its first line says
that it is ready. It ends with its standard input, so none outlives the benchmark.
"""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 30.0
_ANSWER_SECONDS = 60.0
_END_SECONDS = 5.0
_LONGEST_LINE = 1 << 24

Json = dict[str, Any]


class Child:
    """A running process; an async context manager.

    Args:
        module: what `python -m` runs; it calls `answer_questions`.
        environment: added to this process's own.
    """

    def __init__(self, module: str, *, environment: Mapping[str, str] | None = None) -> None:
        self._module = module
        self._environment = {**os.environ, "PYTHONPATH": str(_ROOT), **(environment or {})}
        self._process: asyncio.subprocess.Process | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the process

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", self._module),
            cwd=_ROOT,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._errors,
            limit=_LONGEST_LINE,
        )
        try:
            self.told = await self._read(_START_SECONDS)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._end()

    async def ask(self, what: str, **details: object) -> Any:
        """Ask something and return the answer.

        Raises:
            AssertionError: the process ended, or did not answer; the text has its last words.
        """
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"what": what, **details}).encode() + b"\n")
        return await self._read(_ANSWER_SECONDS)

    async def _read(self, seconds: float) -> Any:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise AssertionError(f"{self._module} says nothing\n{self._last_words()}") from None
        if not line:
            raise AssertionError(f"{self._module} ended\n{self._last_words()}")
        return json.loads(line)

    def _last_words(self) -> str:
        self._errors.seek(0)
        return "\n".join(self._errors.read().decode(errors="replace").splitlines()[-20:])

    async def _end(self) -> None:
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(_END_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self._errors.close()


async def answer_questions(
    answer: Callable[[Json], Awaitable[object]], *, ready: object = None
) -> None:
    """Say that the process is ready, then answer until standard input ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(json.dumps(ready), flush=True)
    while line := await reader.readline():
        print(json.dumps(await answer(json.loads(line))), flush=True)
