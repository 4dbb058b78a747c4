"""One clear sentence for each way in which a site fails to give us a track.

Extractors and servers speak many dialects; the tables below turn each into a reason and a sentence
that tells a member what to do. A new dialect is a new row.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus

from services.audio.errors import ExtractionFailed, ExtractionReason

_SENTENCES = {
    ExtractionReason.NOT_FOUND: "There is nothing at that address: it was removed or never "
    "existed. Check the link, or search for the title.",
    ExtractionReason.PRIVATE: "That one is private; only its owner can open it.",
    ExtractionReason.AGE_RESTRICTED: "That one is age-restricted, and the site shows it only after "
    "a login. Try another upload.",
    ExtractionReason.REGION_BLOCKED: "That one is blocked in the country this bot runs in. "
    "Try another upload.",
    ExtractionReason.LOGIN_REQUIRED: "The site hands that one out only after a login. "
    "Try another upload.",
    ExtractionReason.UNSUPPORTED: "I found nothing to play at that address: it is no audio file, "
    "and I cannot read that site.",
    ExtractionReason.NOT_AUDIO: "There is no audio at that address.",
    ExtractionReason.TIMED_OUT: "The site took too long to answer. Try again in a moment.",
    ExtractionReason.RATE_LIMITED: "The site refuses further requests from this bot for now. "
    "Try again in a few minutes.",
    ExtractionReason.UNREACHABLE: "I could not reach that site. Check the address, or try again "
    "later.",
    ExtractionReason.BROKEN: "I could not read that site. It may have changed; the bot's host "
    "can try an update of yt-dlp.",
}

_ROBOT = "The site takes this bot for a robot and asks for a login. Try another source."
_DRM = "That one is copy-protected (DRM) and cannot be played by bots."
_NOT_YET = "That one has not started yet. Come back when it is out."
_MEMBERS = "That one is only for paying members of the site or channel."
_REFUSED = "The site refuses to hand that one to this bot. Try another source."
_SITE_DOWN = "The site has a problem of its own right now. Try again later."


@dataclass(frozen=True, slots=True)
class _Dialect:
    """Phrases that mean one reason; `sentence` where the usual one is too general."""

    reason: ExtractionReason
    phrases: tuple[str, ...]
    sentence: str | None = None

    def spoken_in(self, message: str) -> bool:
        return any(re.search(phrase, message) for phrase in self.phrases)


# the first row that fits wins: YouTube's robot check also says "sign in", and so on
_DIALECTS = (
    _Dialect(ExtractionReason.RATE_LIMITED, (r"confirm you.{1,3}re not a bot", r"captcha"), _ROBOT),
    _Dialect(
        ExtractionReason.AGE_RESTRICTED,
        (r"confirm your age", r"age.?(restricted|gate)", r"inappropriate for some"),
    ),
    _Dialect(ExtractionReason.RATE_LIMITED, (r"\b429\b", r"too many requests", r"rate.?limit")),
    _Dialect(
        ExtractionReason.REGION_BLOCKED,
        (
            r"available .{0,40}(country|region|location|territory)",
            r"geo.?(restrict|block)",
            r"blocked (it )?in your",
        ),
    ),
    _Dialect(
        ExtractionReason.NOT_FOUND,
        (r"premieres in", r"will begin in", r"not (yet )?(started|aired|premiered)"),
        _NOT_YET,
    ),
    _Dialect(
        ExtractionReason.LOGIN_REQUIRED,
        (r"members?.only", r"join this channel", r"premium", r"payment", r"subscri", r"purchase"),
        _MEMBERS,
    ),
    _Dialect(ExtractionReason.PRIVATE, (r"\bprivate\b",)),
    _Dialect(ExtractionReason.NOT_AUDIO, (r"\bdrm\b",), _DRM),
    _Dialect(
        ExtractionReason.LOGIN_REQUIRED,
        (r"sign.?in\b", r"logg?(ed)?.?in\b", r"registered users", r"--cookies", r"authenticat"),
    ),
    _Dialect(ExtractionReason.LOGIN_REQUIRED, (r"http error 40[13]\b",), _REFUSED),
    _Dialect(ExtractionReason.UNREACHABLE, (r"http error 5\d\d",), _SITE_DOWN),
    _Dialect(ExtractionReason.UNSUPPORTED, (r"unsupported url",)),
    _Dialect(
        ExtractionReason.NOT_AUDIO,
        (
            r"requested format is not available",
            r"no (suitable )?(video|audio|media|formats|playable)",
            r"there'?s no (video|audio)",
        ),
    ),
    _Dialect(
        ExtractionReason.NOT_FOUND,
        (
            r"http error (404|410)\b",
            r"unavailable",
            r"not available",
            r"\b(removed|deleted|terminated)\b",
            r"does(n'?t| not) exist",
            r"not found",
            r"no longer",
        ),
    ),
    _Dialect(ExtractionReason.TIMED_OUT, (r"timed? ?out",)),
    _Dialect(
        ExtractionReason.UNREACHABLE,
        (
            r"getaddrinfo",
            r"name or service",
            r"name resolution",
            r"connection (refused|reset|aborted)",
            r"unreachable",
            r"certificate",
            r"\bssl\b",
            r"remote end closed",
            r"unable to connect",
        ),
    ),
)
# an id or an address may hold any word, so neither takes part in the comparison
_NOT_SAID = re.compile(r"^(error: )?\[[^\]]*\] \S+: |https?://\S+")


def failure(reason: ExtractionReason) -> ExtractionFailed:
    """Return the error with the reason's usual sentence."""
    return ExtractionFailed(_SENTENCES[reason], reason=reason)


def failure_from_message(message: str) -> ExtractionFailed:
    """Translate what an extractor said."""
    said = _NOT_SAID.sub("", message.lower())
    for dialect in _DIALECTS:
        if dialect.spoken_in(said):
            sentence = dialect.sentence or _SENTENCES[dialect.reason]
            return ExtractionFailed(sentence, reason=dialect.reason)
    return failure(ExtractionReason.BROKEN)


def failure_from_status(status: int) -> ExtractionFailed:
    """Translate an HTTP status (400 and above) that a file's server answered."""
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return failure(ExtractionReason.NOT_FOUND)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return failure(ExtractionReason.RATE_LIMITED)
    if status == HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS:
        return failure(ExtractionReason.REGION_BLOCKED)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ExtractionFailed(_SITE_DOWN, reason=ExtractionReason.UNREACHABLE)
    return ExtractionFailed(_REFUSED, reason=ExtractionReason.LOGIN_REQUIRED)
