"""The one place where foreign code is called and may fail without stopping the stream."""

import logging
from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)


async def delivered(work: Awaitable[object], *, to: str) -> bool:
    """Await a consumer's work; when it fails, log that with its traceback and return False."""
    try:
        await work
    except Exception:  # noqa: BLE001 -- stream delivery: one consumer's defect stops no other
        _log.exception("delivery failed: %s", to)
        return False
    return True


def decided[Decision](decide: Callable[[], Decision], *, otherwise: Decision) -> Decision:
    """Return what `decide` says; when it fails, log that and return `otherwise`."""
    try:
        return decide()
    except Exception:  # noqa: BLE001 -- stream delivery: an acknowledgement waits for nobody's defect
        _log.exception("a decision failed; going on with %s", otherwise)
        return otherwise
