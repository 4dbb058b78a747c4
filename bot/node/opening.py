"""Opening a track in a reader thread, while its player goes on; it can be given up at any time."""

import asyncio
from concurrent.futures import Executor
from typing import Final

from bot.node.http_media import HttpMedia, MediaUnreadable
from bot.node.playback import Playback
from bot.node.source import Source

_OPEN_SECONDS: Final = 20.0


class Loading:
    """A track that is being opened, and who waits for it."""

    def __init__(self, started: "asyncio.Future[None]") -> None:
        self.started = started
        self.media: HttpMedia | None = None
        self.playback: Playback | None = None

    def cancel(self) -> None:
        """Give up; who waits is told that another request was faster."""
        if self.media is not None and self.playback is None:
            self.media.cancel()
        if not self.started.done():
            self.started.set_result(None)


async def open_media(media: HttpMedia, *, readers: Executor, start: float = 0.0) -> Source:
    """Open a media in a reader thread, but do not wait for ever.

    Raises:
        MediaUnreadable: it cannot be opened, or not in time.
    """
    loop = asyncio.get_running_loop()
    opening = loop.run_in_executor(
        readers, lambda: Source.open(media, readers=readers, start=start)
    )
    try:
        async with asyncio.timeout(_OPEN_SECONDS):
            return await asyncio.shield(opening)
    except TimeoutError:
        media.cancel()
        opening.add_done_callback(_close_late)
        raise MediaUnreadable("it did not open in time") from None
    except asyncio.CancelledError:
        media.cancel()
        opening.add_done_callback(_close_late)
        raise


def _close_late(opening: "asyncio.Future[Source]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
