"""What can go wrong between a member's wish and sound.

```
Refusal
├── AddressRefused         the address is private, malformed or not http(s)
├── TrackRefused           too long, or a livestream
├── VoiceJoinRefused       no permission to connect or speak, or the channel is full
└── NothingPlaying         there is nothing to act on
OutsideFailure
├── ExtractionFailed       the site did not give us the track; `reason` says why
├── TrackUnplayable        the audio could not be opened or decoded
└── NodeUnavailable        no audio node answers
```
"""

from enum import StrEnum

from services.errors import OutsideFailure, Refusal


class AddressRefused(Refusal):
    """The address may not be fetched by this host."""


class TrackRefused(Refusal):
    """The track is outside of this bot's limits."""


class VoiceJoinRefused(Refusal):
    """The bot cannot join or speak in the channel."""


class NothingPlaying(Refusal):
    """There is nothing to act on."""


class ExtractionReason(StrEnum):
    """Why a site gave no track; used in metrics and to choose the sentence."""

    NOT_FOUND = "not_found"
    PRIVATE = "private"
    AGE_RESTRICTED = "age_restricted"
    REGION_BLOCKED = "region_blocked"
    LOGIN_REQUIRED = "login_required"
    UNSUPPORTED = "unsupported"
    NOT_AUDIO = "not_audio"
    TIMED_OUT = "timed_out"
    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"
    BROKEN = "broken"  # the extractor itself failed; usually yt-dlp needs an update


class ExtractionFailed(OutsideFailure):
    """A site did not give us the track."""

    def __init__(self, sentence: str, *, reason: ExtractionReason) -> None:
        super().__init__(sentence)
        self.reason = reason


class TrackUnplayable(OutsideFailure):
    """The audio could not be opened or decoded."""


class NodeUnavailable(OutsideFailure):
    """No audio node answers right now."""
