"""A medium that a site hands out in pieces (HLS), read as one stream of bytes.

The pieces are fetched one after the other and joined: that is a valid file for every kind of
segment in use (transport streams, fragmented MP4 after its header, raw AAC or MP3). Its length is
known only at the end, so it is downloaded without waiting for its readers.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from http import HTTPStatus

from bot.adapters.guarded_http import GuardedHttp
from bot.adapters.hls_playlist import (
    Key,
    NotHls,
    Recording,
    audio_variant,
    read_recording,
)
from bot.adapters.upstream import RETRY_PAUSES, Locate, MediaHead, StreamAddress
from services.audio.errors import ExtractionFailed, ExtractionReason
from services.audio.extraction_reasons import failure, failure_from_status

_PLAYLIST_BYTES = 4 * 1024 * 1024
_WHOLE = slice(None)
_PIECE_BYTES = 32 * 1024 * 1024


class HlsUpstream:
    """A recording behind an HLS playlist."""

    def __init__(
        self,
        http: GuardedHttp,
        address: StreamAddress,
        *,
        locate: Locate | None,
        retry_pauses: Sequence[float] = RETRY_PAUSES,
    ) -> None:
        """Read `address`; once its links have expired, what `locate` finds."""
        self._http = http
        self._address = address
        self._locate = locate
        self._pauses = retry_pauses
        self._recording: Recording | None = None
        self._keys: dict[str, bytes] = {}

    async def open(self) -> MediaHead:
        """Fetch the playlist.

        Raises:
            AddressRefused: it leads to an address that may not be fetched.
            ExtractionFailed: it cannot be fetched, or is protected.
        """
        self._recording = await self._read_playlist()
        return MediaHead(
            length=None,
            can_seek=False,
            content_type="application/octet-stream",
            filename=None,
            is_live=self._recording.is_live,
            fetch_all=True,
        )

    async def read(self, position: int) -> AsyncGenerator[bytes]:
        """Yield the recording's bytes; `position` must be 0.

        Raises:
            AddressRefused: a piece lies at an address that may not be fetched.
            ExtractionFailed: a piece could not be had.
        """
        if position or self._recording is None:
            raise failure(ExtractionReason.UNREACHABLE)
        for number in range(len(self._recording.pieces)):
            yield await self._patiently(number)

    async def close(self) -> None:
        """Nothing is held between pieces."""

    async def _patiently(self, number: int) -> bytes:
        for pause in self._pauses:
            try:
                return await self._piece(number)
            except ExtractionFailed:
                await asyncio.sleep(pause)
                if self._locate is not None:
                    self._address = await self._locate()
                self._recording = await self._read_playlist()
        return await self._piece(number)

    async def _piece(self, number: int) -> bytes:
        assert self._recording is not None, "open() comes first"
        if number >= len(self._recording.pieces):  # a fresh link led to something shorter
            raise failure(ExtractionReason.BROKEN)
        piece = self._recording.pieces[number]
        data = await self._fetch(piece.url, _PIECE_BYTES, piece.part or _WHOLE)
        return data if piece.key is None else await self._decrypt(data, piece.key)

    async def _decrypt(self, data: bytes, key: Key) -> bytes:
        # imported where it is needed: few sites encrypt, and the library is large
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        from cryptography.hazmat.primitives.padding import PKCS7

        if key.url not in self._keys:
            self._keys[key.url] = await self._fetch(key.url, 64)
        try:
            cipher = Cipher(algorithms.AES(self._keys[key.url]), modes.CBC(key.iv)).decryptor()
            padding = PKCS7(128).unpadder()
            plain = padding.update(cipher.update(data) + cipher.finalize())
            return plain + padding.finalize()
        except ValueError:
            raise failure(ExtractionReason.BROKEN) from None

    async def _read_playlist(self) -> Recording:
        url = self._address.url
        try:
            text = (await self._fetch(url, _PLAYLIST_BYTES)).decode(errors="replace")
            variant = audio_variant(text, url)
            if variant is not None:
                url = variant
                text = (await self._fetch(url, _PLAYLIST_BYTES)).decode(errors="replace")
            return read_recording(text, url)
        except NotHls:
            raise failure(ExtractionReason.NOT_AUDIO) from None

    async def _fetch(self, url: str, limit: int, part: slice = _WHOLE) -> bytes:
        headers = dict(self._address.headers)
        if part is not _WHOLE:
            headers["Range"] = f"bytes={part.start}-{part.stop - 1}"
        async with self._http.get(url, headers) as answer:
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise failure_from_status(answer.status)
            data = bytearray()
            async for received in answer.content.iter_any():
                data += received
                if len(data) > limit:
                    raise failure(ExtractionReason.BROKEN)
            is_partial = answer.status == HTTPStatus.PARTIAL_CONTENT
        return bytes(data if is_partial else data[part])
