"""Decides when the two halves of a voice connection's address are complete.

Discord answers a join or a move with two events: the voice state (session and channel) and the
voice server (token and endpoint), in no guaranteed order; a node needs all four together. A voice
server that is exchanged comes alone. So: a server update is passed on at once, unless the channel
that was asked for has not been reached yet; a changed state waits for the server update that
follows it, unless that has just come before it.
"""

from dataclasses import dataclass

_JUST_NOW_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceAddress:
    """What a node needs to send sound to a voice channel."""

    session_id: str
    channel_id: int
    token: str
    endpoint: str


class VoiceHandshake:
    """Collects the halves of one guild's voice connection; `now` is in monotonic seconds."""

    def __init__(self) -> None:
        self._session_id: str | None = None
        self._channel_id: int | None = None
        self._token: str | None = None
        self._endpoint: str | None = None
        self._wanted: int | None = None
        self._server_is_news = False
        self._server_came = float("-inf")

    @property
    def address(self) -> VoiceAddress | None:
        """The last complete address."""
        if not (self._session_id and self._channel_id and self._token and self._endpoint):
            return None
        return VoiceAddress(
            session_id=self._session_id,
            channel_id=self._channel_id,
            token=self._token,
            endpoint=self._endpoint,
        )

    def ask_for(self, channel_id: int | None) -> None:
        """Take note that Discord was asked to let the bot into the channel, or not any more."""
        self._wanted = channel_id

    def state(self, session_id: str, channel_id: int, *, now: float) -> VoiceAddress | None:
        """Take a voice state; return an address that is to be used now."""
        changed = (session_id, channel_id) != (self._session_id, self._channel_id)
        self._session_id, self._channel_id = session_id, channel_id
        if self._wanted == channel_id:
            self._wanted = None
        late = changed and now - self._server_came < _JUST_NOW_SECONDS
        return self._complete() if self._server_is_news or late else None

    def server(self, token: str, endpoint: str | None, *, now: float) -> VoiceAddress | None:
        """Take a voice server (`endpoint` None: it is gone, another one will follow)."""
        self._token, self._endpoint = token, endpoint
        self._server_is_news = endpoint is not None
        self._server_came = now
        return self._complete() if self._server_is_news else None

    def _complete(self) -> VoiceAddress | None:
        if self._wanted is not None or (address := self.address) is None:
            return None
        self._server_is_news = False
        return address
