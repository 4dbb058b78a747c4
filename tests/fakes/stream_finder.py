"""A site reader that hands out the addresses it was given, one after the other."""

from collections import deque

from bot.adapters.upstream import StreamAddress
from services.audio.errors import ExtractionReason
from services.audio.extraction_reasons import failure


class ListedStreams:
    """Knows pages by address; the last address of each is given again and again."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []
        self._pages: dict[str, deque[StreamAddress]] = {}

    def offer(self, page: str, *addresses: StreamAddress) -> None:
        self._pages[page] = deque(addresses)

    async def stream(self, url: str, *, fresh: bool = False) -> StreamAddress:
        self.asked.append((url, fresh))
        offers = self._pages.get(url)
        if not offers:
            raise failure(ExtractionReason.NOT_FOUND)
        return offers.popleft() if len(offers) > 1 else offers[0]
