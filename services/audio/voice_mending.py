"""Makes a voice connection anew that Discord has ended, unless that is Discord's last word.

The end of a connection has two meanings: somebody removed the bot (then Discord says within a
moment that it is in no channel, and that is handled there), or the connection broke. One that
breaks again and again is given up, instead of joining for ever.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable

from services.audio.errors import NodeUnavailable, VoiceJoinRefused
from services.audio.inbox import Action
from services.audio.outside import Outside
from services.audio.playback import Playback
from services.audio.ports import VoiceSocketClosed
from services.audio.session import Session

_log = logging.getLogger(__name__)

_GRACE_SECONDS = 1
"""Discord says within this time whether the bot was removed from the channel."""
_TRIES = 3
_WITHIN_SECONDS = 60
_GIVEN_UP = "Discord keeps ending my voice connection. Ask me to play again in a while."


class VoiceMending:
    """Looks after one guild's voice connection; `recover` joins and goes on playing."""

    def __init__(
        self,
        session: Session,
        outside: Outside,
        *,
        playback: Playback,
        post: Callable[[Action], None],
        recover: Callable[[], Awaitable[None]],
    ) -> None:
        self._session = session
        self._outside = outside
        self._playback = playback
        self._post = post
        self._recover = recover
        self._mended: deque[float] = deque(maxlen=_TRIES)

    def closed(self, event: VoiceSocketClosed) -> None:
        """Take note that the connection has ended."""
        _log.info("voice of guild %s closed: %s %s", event.guild_id, event.code, event.reason)
        self._outside.tasks.start(self._wait(), name="mend voice")

    async def _wait(self) -> None:
        await self._outside.clock.sleep(_GRACE_SECONDS)
        self._post(self._mend)

    async def _mend(self) -> None:
        guild_id, voice = self._session.guild_id, self._outside.voice
        channel_id = self._session.voice_channel_id
        if channel_id is None or voice.channel_of(guild_id) != channel_id:
            return
        now = self._outside.clock.monotonic()
        often = len(self._mended) == _TRIES and now - self._mended[0] < _WITHIN_SECONDS
        self._mended.append(now)
        self._playback.suspend()
        await voice.disconnect(guild_id)
        if often:
            self._playback.wait(VoiceJoinRefused(_GIVEN_UP))
            return
        try:
            await self._recover()
        except (NodeUnavailable, VoiceJoinRefused) as error:
            self._playback.wait(error)
