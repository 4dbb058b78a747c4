"""What sites and servers say becomes one of a few reasons, each with a sentence of our own."""

import pytest

from services.audio.errors import ExtractionReason as Reason
from services.audio.extraction_reasons import failure, failure_from_message, failure_from_status


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Video unavailable. This video has been removed by the uploader", Reason.NOT_FOUND),
        ("Video unavailable", Reason.NOT_FOUND),
        ("This video is no longer available because the account is terminated", Reason.NOT_FOUND),
        ("Unable to download JSON: HTTP Error 404: Not Found", Reason.NOT_FOUND),
        ("Premieres in 3 hours", Reason.NOT_FOUND),
        ("Private video. Sign in if you've been granted access to this video", Reason.PRIVATE),
        ("Sign in to confirm your age. This video may be inappropriate", Reason.AGE_RESTRICTED),
        (
            "The uploader has not made this video available in your country",
            Reason.REGION_BLOCKED,
        ),
        (
            "This video is not available from your location due to geo restriction",
            Reason.REGION_BLOCKED,
        ),
        ("Sign in to confirm you\u2019re not a bot", Reason.RATE_LIMITED),
        ("HTTP Error 429: Too Many Requests", Reason.RATE_LIMITED),
        ("Join this channel to get access to members-only content", Reason.LOGIN_REQUIRED),
        ("This video is only available for registered users. Use --cookies", Reason.LOGIN_REQUIRED),
        ("Unable to download webpage: HTTP Error 403: Forbidden", Reason.LOGIN_REQUIRED),
        ("Unsupported URL: https://music.example/private/login", Reason.UNSUPPORTED),
        ("No video formats found!", Reason.NOT_AUDIO),
        ("Requested format is not available", Reason.NOT_AUDIO),
        ("This video is DRM protected", Reason.NOT_AUDIO),
        ("The read operation timed out", Reason.TIMED_OUT),
        ("Failed to resolve 'x' ([Errno -2] Name or service not known)", Reason.UNREACHABLE),
        ("HTTPConnection(host='x', port=80): Connection refused", Reason.UNREACHABLE),
        ("HTTP Error 503: Service Unavailable", Reason.UNREACHABLE),
        ("An extractor error has occurred. (KeyError('playerResponse'))", Reason.BROKEN),
        ("", Reason.BROKEN),
        ("ERROR: [youtube] private-429: Video unavailable", Reason.NOT_FOUND),
    ],
)
def test_message_of_an_extractor_becomes_a_reason(said: str, reason: Reason) -> None:
    assert failure_from_message(said).reason is reason


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (404, Reason.NOT_FOUND),
        (410, Reason.NOT_FOUND),
        (401, Reason.LOGIN_REQUIRED),
        (403, Reason.LOGIN_REQUIRED),
        (429, Reason.RATE_LIMITED),
        (451, Reason.REGION_BLOCKED),
        (500, Reason.UNREACHABLE),
        (503, Reason.UNREACHABLE),
    ],
)
def test_status_of_a_server_becomes_a_reason(status: int, reason: Reason) -> None:
    assert failure_from_status(status).reason is reason


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_has_a_sentence(reason: Reason) -> None:
    assert failure(reason).sentence.endswith(".")
