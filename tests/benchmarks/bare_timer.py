"""The machine's own unpunctuality: a process that does nothing but wake every 20 ms."""

import asyncio
import threading
import time
from array import array

from tests.benchmarks.child import Json, answer_questions

_STEP_SECONDS = 0.020


def _wake(woken: "array[float]", late: "array[float]") -> None:
    due = time.monotonic()
    while True:
        due += _STEP_SECONDS
        time.sleep(max(0.0, due - time.monotonic()))
        now = time.monotonic()
        woken.append(now)
        late.append((now - due) * 1000)


async def _main() -> None:
    woken, late = array("d"), array("d")
    threading.Thread(target=_wake, args=(woken, late), daemon=True).start()

    async def answer(question: Json) -> list[float]:
        begin, end = question["since"], question["until"]
        return [ms for at, ms in zip(woken, late, strict=False) if begin <= at <= end]

    await answer_questions(answer)


if __name__ == "__main__":
    asyncio.run(_main())
