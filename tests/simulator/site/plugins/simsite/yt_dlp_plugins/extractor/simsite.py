"""yt-dlp extractors for the tests' music site: a song, a list, and a search (`simsearch5:words`).

Loaded by yt-dlp's plugin mechanism in the extraction workers, never by the tests themselves.
"""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from yt_dlp.extractor.common import InfoExtractor, SearchInfoExtractor
from yt_dlp.utils import ExtractorError, GeoRestrictedError

_HOST = r"(?P<base>https?://(?:127\.0\.0\.1|localhost)(?::\d+)?)"
_WORDS = {
    "private": "Private video. Sign in if you've been granted access to this video",
    "removed": "Video unavailable. This video has been removed by the uploader",
    "age": "Sign in to confirm your age. This video may be inappropriate for some users.",
    "login": "This video is available to this channel's members. Join this channel to get access",
    "robot": "Sign in to confirm you\u2019re not a bot. Use --cookies for the authentication",
}


def _flat(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "_type": "url",
        "ie_key": "SimSite",
        "id": entry["id"],
        "url": entry["url"],
        "title": "[Private video]" if entry["private"] else entry["title"],
        "uploader": entry["artist"],
        "duration": entry["seconds"],
        "live_status": "is_live" if entry["live"] else "not_live",
    }


class SimSiteIE(InfoExtractor):  # type: ignore[misc]  # yt-dlp has no types
    """A song's page."""

    _VALID_URL = _HOST + r"/watch/(?P<id>[\w-]+)"

    def _real_extract(self, url: str) -> dict[str, Any]:
        base, song_id = self._match_valid_url(url).group("base", "id")
        song = self._download_json(f"{base}/api/song/{song_id}", song_id)
        self._fail_as_told(song["problem"])
        live = song["live"]
        return {
            "id": song_id,
            "title": song["title"],
            "uploader": song["artist"],
            "duration": None if live else song["seconds"],
            "is_live": live,
            "webpage_url": url,
            "formats": self._formats(song),
        }

    def _formats(self, song: dict[str, Any]) -> list[dict[str, Any]]:
        if song["problem"] == "no_audio":
            return [
                {"format_id": "film", "url": song["stream"], "acodec": "none", "vcodec": "h264"}
            ]
        audio = {"format_id": "audio", "url": song["stream"], "ext": song["codec"]}
        if song["codec"] == "hls":
            audio = {**audio, "ext": "m4a", "protocol": "m3u8_native"}
        return [{**audio, "vcodec": "none", "acodec": "opus", "abr": 96}]

    def _fail_as_told(self, problem: str) -> None:
        if problem in _WORDS:
            raise ExtractorError(_WORDS[problem], expected=True)
        if problem == "region":
            raise GeoRestrictedError("The uploader has not made this video available here")
        if problem == "broken_page":
            raise KeyError("playerResponse")
        if problem == "hang":
            time.sleep(3600)
        if problem == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        if problem == "inside":
            self._download_webpage("http://127.0.0.1:9/latest/meta-data/", "inside")


class SimSiteListIE(InfoExtractor):  # type: ignore[misc]  # yt-dlp has no types
    """A list of songs, in pages."""

    _VALID_URL = _HOST + r"/list/(?P<id>[\w-]+)"
    _RETURN_TYPE = "playlist"

    def _real_extract(self, url: str) -> dict[str, Any]:
        base, list_id = self._match_valid_url(url).group("base", "id")
        api = f"{base}/api/list/{list_id}"
        first = self._download_json(api, list_id)

        def entries() -> Iterator[dict[str, Any]]:
            page, number = first, 0
            while page["entries"]:
                yield from map(_flat, page["entries"])
                number += 1
                page = self._download_json(f"{api}?page={number}", list_id, note=False)

        result: dict[str, Any] = self.playlist_result(
            entries(), list_id, first["title"], playlist_count=first["total"]
        )
        return result


class SimSearchIE(SearchInfoExtractor):  # type: ignore[misc]  # yt-dlp has no types
    """The site's search; `SIMSITE_URL` in the environment says where it is."""

    _SEARCH_KEY = "simsearch"

    def _search_results(self, query: str) -> Iterator[dict[str, Any]]:
        base = os.environ["SIMSITE_URL"]
        found = self._download_json(f"{base}/api/search?q={quote(query)}", query)
        yield from map(_flat, found["entries"])
