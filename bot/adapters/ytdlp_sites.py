"""yt-dlp as this bot uses it: read pages, lists and searches, and choose an audio stream.

Runs in the extraction workers only. Whatever a site says leaves here as small plain values.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yt_dlp
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, YoutubeDLError

from bot.adapters.ytdlp_protocol import Frame, Job, WorkerConfig

_PART = 200
_TEXT_LIMIT = 500
_MAX_HOPS = 5
_LISTS = {"playlist", "multi_video"}
_GONE = {"[private video]", "[deleted video]", "[unavailable video]"}
_LOCKED = {"private", "needs_auth", "subscriber_only", "premium_only"}
_EXPIRY_KEYS = ("expire", "expires", "Expires", "exp", "e")
# whole files before segmented ones: they can be sought and taken up again
_FORMAT = (
    "bestaudio[acodec=opus][protocol~='^https?$']/bestaudio[protocol~='^https?$']"
    "/best[protocol~='^https?$'][acodec!=none]/bestaudio[protocol^=m3u8]/best[protocol^=m3u8]"
)

Emit = Callable[[Frame], None]
"""Sends a part of the answer ahead."""


class SiteFailure(Exception):
    """A site did not give what was asked; the text is what yt-dlp said, without its ornaments."""


class SiteReader:
    """One yt-dlp, kept warm."""

    def __init__(self, config: WorkerConfig) -> None:
        self._config = config
        yt_dlp.globals.plugin_dirs.value = ["default", *config.plugin_dirs]
        self._ydl = yt_dlp.YoutubeDL(_options(config))

    def answer(self, job: Job, emit: Emit) -> Frame:
        """Do a job.

        Raises:
            SiteFailure: the site does not give it.
        """
        try:
            if job.kind == "search":
                target = f"{self._config.search_key}{job.limit}:{job.target}"
                return self._list(self._begin(target), job.limit, emit)
            info = self._followed(self._begin(job.target))
            if info.get("_type") not in _LISTS:
                info = self._ydl.process_ie_result(info, download=False)
            if info.get("_type") not in _LISTS:
                return {"track": _track(info), "stream": self._stream(info)}
            if job.kind == "stream":
                raise SiteFailure("There's no video in this list")
            return self._list(info, self._config.max_entries, emit)
        except YoutubeDLError as error:
            raise SiteFailure(_said(error)) from error

    def _begin(self, target: str, ie_key: str | None = None) -> dict[str, Any]:
        info = self._ydl.extract_info(target, download=False, ie_key=ie_key, process=False)
        if not info:
            raise SiteFailure("no media found")
        result: dict[str, Any] = info
        return result

    def _followed(self, info: dict[str, Any]) -> dict[str, Any]:
        for _ in range(_MAX_HOPS):
            if info.get("_type") != "url":
                return info
            info = self._begin(info["url"], info.get("ie_key"))
        raise SiteFailure("Unsupported URL: it leads in circles")

    def _list(self, info: dict[str, Any], limit: int, emit: Emit) -> Frame:
        """Send the entries in parts; a slow site's list is cut when its time is up."""
        deadline = time.monotonic() + self._config.list_seconds
        part: list[Frame] = []
        count, is_cut = 0, False
        for entry in self._entries(info):
            if count >= limit or time.monotonic() > deadline:
                is_cut = True
                break
            part.append(entry)
            count += 1
            if len(part) == _PART:
                emit({"entries": part})
                part = []
        emit({"entries": part})
        announced = info.get("playlist_count")
        return {
            "title": _text(info.get("title")) or _text(info.get("id")) or "",
            "url": info.get("webpage_url") or "",
            "total": max(announced if isinstance(announced, int) else 0, count + is_cut),
        }

    def _entries(self, info: dict[str, Any]) -> Iterator[Frame]:
        for entry in info.get("entries") or ():
            if entry and not self._is_list(entry):
                yield _track(entry)

    def _is_list(self, entry: dict[str, Any]) -> bool:
        if entry.get("_type") in _LISTS:
            return True
        extractor = entry.get("ie_key")
        if not extractor or entry.get("_type") not in {"url", "url_transparent"}:
            return False
        try:
            kind = yt_dlp.extractor.get_info_extractor(extractor)._RETURN_TYPE  # noqa: SLF001 -- its only mark
        except (AttributeError, KeyError):  # a plugin's extractor is not found by that way
            return False
        return bool(kind == "playlist")

    def _stream(self, info: dict[str, Any]) -> Frame:
        headers = {str(k): str(v) for k, v in (info.get("http_headers") or {}).items()}
        if cookie := self._ydl.cookiejar.get_cookie_header(info["url"]):
            headers["Cookie"] = cookie
        chunk = (info.get("downloader_options") or {}).get("http_chunk_size")
        return {
            "url": info["url"],
            "headers": headers,
            "is_segmented": str(info.get("protocol", "")).startswith("m3u8"),
            "chunk_bytes": chunk if isinstance(chunk, int) else None,
            "expires_at": _expiry(info["url"]),
        }


def _options(config: WorkerConfig) -> dict[str, Any]:
    return {
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "color": "no_color",
        "simulate": True,
        "format": _FORMAT,
        "check_formats": False,
        "noplaylist": True,
        "extract_flat": "in_playlist",
        "playlistend": config.max_entries,
        "default_search": "error",
        "enable_file_urls": False,
        "socket_timeout": config.socket_timeout,
        "extractor_retries": 1,
        "cachedir": config.cache_dir or False,
        "cookiefile": config.cookies,
        "proxy": "",  # a proxy would connect where the address guard cannot look
        "js_runtimes": {"deno": {"path": _deno()}},
        "logger": _Silent(),
    }


class _Silent:
    """Takes yt-dlp's messages; what matters comes as an exception."""

    def debug(self, message: str) -> None:
        """Ignore progress."""

    def warning(self, message: str) -> None:
        """Ignore a warning."""

    def error(self, message: str) -> None:
        """Ignore what is raised as well."""


def _deno() -> str | None:
    from deno import find_deno_bin  # type: ignore[import-untyped]  # it has no types

    try:
        return str(find_deno_bin())
    except FileNotFoundError:
        return None


def _track(info: dict[str, Any]) -> Frame:
    title = _text(info.get("title")) or ""
    seconds = info.get("duration")
    thumbnails = info.get("thumbnails") or [{}]
    return {
        "url": str(info.get("webpage_url") or info.get("url") or info.get("original_url") or ""),
        "title": title,
        "artist": _text(info.get("artist") or info.get("uploader") or info.get("channel")),
        "duration_ms": round(seconds * 1000) if isinstance(seconds, int | float) else None,
        "is_live": bool(info.get("is_live"))
        or info.get("live_status") in {"is_live", "is_upcoming"},
        "artwork_url": _text(info.get("thumbnail") or thumbnails[-1].get("url")),
        "available": title.lower() not in _GONE and info.get("availability") not in _LOCKED,
    }


def _text(value: object) -> str | None:
    return str(value)[:_TEXT_LIMIT] if value else None


def _expiry(url: str) -> float | None:
    query = parse_qs(urlsplit(url).query)
    for key in _EXPIRY_KEYS:
        value = query.get(key, [""])[0]
        if value.isdigit() and len(value) == 10:  # noqa: PLR2004 -- digits of a Unix time
            return float(value)
    return None


def _said(error: BaseException) -> str:
    """Return what went wrong in the extractor's own words, and what was below it."""
    inner = error.exc_info[1] if isinstance(error, DownloadError) and error.exc_info else error
    if isinstance(inner, GeoRestrictedError):
        return f"geo-restricted: {inner.msg}"[:_TEXT_LIMIT]
    if isinstance(inner, ExtractorError):
        cause = f" ({inner.cause})" if inner.cause else ""
        return f"{inner.orig_msg}{cause}"[:_TEXT_LIMIT]
    return str(inner or error)[:_TEXT_LIMIT]
