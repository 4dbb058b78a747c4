"""Lavalink v4 as JSON: what clients send, checked, and the shapes of what they get.

Field names and meanings: Lavalink's REST API and WebSocket API pages.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Literal

from bot.node.encoded_track import (
    SOURCE_NAME,
    UNKNOWN_LENGTH,
    TrackInfo,
    TrackUnreadable,
    decode_track,
    encode_track,
)
from bot.node.filters import FilterError, Filters, as_payload, read_filters
from bot.node.http_media import MediaUnreadable
from bot.node.media_container import MediaInfo

EndReason = Literal["finished", "loadFailed", "stopped", "replaced", "cleanup"]
Severity = Literal["common", "suspicious", "fault"]

_MAX_VOLUME: Final = 1000


class RequestRefused(Exception):
    """The request cannot be carried out; the text is the error's `message`."""

    def __init__(self, message: str, *, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


# ── what clients send ───────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class TrackWish:
    """A track to play: where its sound is, and what is known of it already."""

    link: str
    info: TrackInfo | None = None
    user_data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StopWish:
    """The current track is to be stopped."""


@dataclass(frozen=True, slots=True)
class VoiceWish:
    """The voice server to send to."""

    token: str
    endpoint: str
    session_id: str
    channel_id: int

    def payload(self) -> dict[str, Any]:
        """Return the protocol's Voice State."""
        return {
            "token": self.token,
            "endpoint": self.endpoint,
            "sessionId": self.session_id,
            "channelId": str(self.channel_id),
        }


@dataclass(frozen=True, slots=True)
class FilterWish:
    """Filters as they were sent and as they are understood."""

    payload: dict[str, Any]
    filters: Filters


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerPatch:
    """A checked Update Player request; None stands for "not mentioned"."""

    track: TrackWish | StopWish | None = None
    user_data: dict[str, Any] | None = None
    position_ms: int | None = None
    sets_end: bool = False
    end_ms: int | None = None
    volume: int | None = None
    paused: bool | None = None
    filters: FilterWish | None = None
    voice: VoiceWish | None = None


def read_player_patch(body: object) -> PlayerPatch:
    """Check an Update Player request.

    Raises:
        RequestRefused: a field is wrong.
    """
    data = _object(body, "the body")
    track, user_data = _track(data)
    voice, filters = data.get("voice"), data.get("filters")
    return PlayerPatch(
        track=track,
        user_data=user_data,
        position_ms=_integer(data, "position", low=0),
        sets_end="endTime" in data,
        end_ms=_integer(data, "endTime", low=1),
        volume=_integer(data, "volume", low=0, high=_MAX_VOLUME),
        paused=_boolean(data, "paused"),
        filters=None if filters is None else _filters(filters),
        voice=None if voice is None else _voice(voice),
    )


def read_next(body: object) -> TrackWish | None:
    """Check the body of the gapless plugin's route; None: nothing is to follow.

    Raises:
        RequestRefused: a field is wrong.
    """
    data = _object(body, "the body")
    if "track" not in data:
        raise RequestRefused("track must be given, or null")
    if data["track"] is None:
        return None
    wish, _ = _track(data)
    if not isinstance(wish, TrackWish):
        raise RequestRefused("track must have an identifier or an encoded track")
    return wish


def read_session_patch(body: object) -> tuple[bool | None, int | None]:
    """Return the `resuming` and `timeout` (seconds) of an Update Session request."""
    data = _object(body, "the body")
    return _boolean(data, "resuming"), _integer(data, "timeout", low=0)


def read_flag(text: str | None) -> bool:
    """Read a query's boolean, also in Python's spelling."""
    return (text or "").lower() in {"true", "1"}


def _track(data: Mapping[str, Any]) -> tuple[TrackWish | StopWish | None, dict[str, Any] | None]:
    old = {
        new: data[name]
        for name, new in (("encodedTrack", "encoded"), ("identifier", "identifier"))
        if name in data
    }
    track = _object(data["track"], "track") if data.get("track") is not None else old
    user_data = track.get("userData")
    if user_data is not None:
        _object(user_data, "track.userData")
    if "encoded" in track and "identifier" in track:
        raise RequestRefused("Cannot specify both encodedTrack and identifier")
    if "encoded" in track:
        if track["encoded"] is None:
            return StopWish(), user_data
        info = read_encoded(track["encoded"])
        return TrackWish(info.identifier, info, dict(user_data or {})), None
    if "identifier" in track:
        identifier = track["identifier"]
        if not isinstance(identifier, str):
            raise RequestRefused("track.identifier must be a string")
        return TrackWish(identifier, None, dict(user_data or {})), None
    return None, user_data


def read_encoded(encoded: object) -> TrackInfo:
    """Decode a track.

    Raises:
        RequestRefused: it is none.
    """
    if not isinstance(encoded, str):
        raise RequestRefused("an encoded track must be a string")
    try:
        return decode_track(encoded)
    except TrackUnreadable as error:
        raise RequestRefused(str(error)) from error


def _voice(value: object) -> VoiceWish:
    data = _object(value, "voice")
    names = ("token", "endpoint", "sessionId", "channelId")
    parts = [data.get(name) for name in names]
    channel_id = str(parts[3] or "")
    if not all(isinstance(part, str) and part for part in parts[:3]) or not channel_id.isdigit():
        raise RequestRefused(
            "token, endpoint, sessionId and channelId must be provided in voice state"
        )
    return VoiceWish(str(parts[0]), str(parts[1]), str(parts[2]), int(channel_id))


def _filters(value: object) -> FilterWish:
    try:
        filters = read_filters(value)
    except FilterError as error:
        raise RequestRefused(str(error)) from error
    return FilterWish(as_payload(_object(value, "filters")), filters)


def _object(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise RequestRefused(f"{name} must be an object")
    return value


def _integer(
    data: Mapping[str, Any], name: str, *, low: int, high: int | None = None
) -> int | None:
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise RequestRefused(f"{name} must be a whole number")
    if value < low or (high is not None and value > high):
        limits = f"at least {low}" if high is None else f"between {low} and {high}"
        raise RequestRefused(f"{name} must be {limits}")
    return value


def _boolean(data: Mapping[str, Any], name: str) -> bool | None:
    value = data.get(name)
    if value is not None and not isinstance(value, bool):
        raise RequestRefused(f"{name} must be true or false")
    return value


# ── what they get ───────────────────────────────────────────────────────────
def describe(link: str, media: MediaInfo) -> TrackInfo:
    """Return what is told of a media behind a link."""
    return TrackInfo(
        identifier=link,
        title=media.title or "Unknown title",
        author=media.artist or "Unknown artist",
        length=UNKNOWN_LENGTH if media.length_ms is None else media.length_ms,
        is_stream=media.is_stream,
        is_seekable=media.is_seekable,
        uri=link,
        container=media.container,
    )


def track_payload(
    info: TrackInfo, user_data: Mapping[str, Any] | None = None, *, position: int | None = None
) -> dict[str, Any]:
    """Return the protocol's Track; `position` in ms, where it is playing."""
    return {
        "encoded": encode_track(info),
        "info": {
            "identifier": info.identifier,
            "isSeekable": info.is_seekable,
            "author": info.author,
            "length": info.length,
            "isStream": info.is_stream,
            "position": info.position if position is None else position,
            "title": info.title,
            "uri": info.uri,
            "artworkUrl": info.artwork_url,
            "isrc": info.isrc,
            "sourceName": info.source_name,
        },
        "pluginInfo": {"probeInfo": info.container} if info.source_name == SOURCE_NAME else {},
        "userData": dict(user_data or {}),
    }


def exception_payload(error: MediaUnreadable) -> dict[str, Any]:
    """Return the protocol's Exception; a medium that cannot be read is an outside matter."""
    return {
        "message": str(error),
        "severity": "suspicious",
        "cause": str(error),
        "causeStackTrace": "",
    }


def error_payload(status: HTTPStatus, message: str, path: str) -> dict[str, Any]:
    """Return the protocol's error response."""
    return {
        "timestamp": now_ms(),
        "status": int(status),
        "error": status.phrase,
        "message": message,
        "path": path,
    }


def now_ms() -> int:
    """Return the wall time in ms since 1970."""
    return time.time_ns() // 1_000_000
