"""Files on messages, and the content delivery network that hands them out by signed addresses."""

import hashlib
import hmac
import mimetypes
import secrets
from dataclasses import dataclass
from urllib.parse import quote

from tests.simulator.clock import Clock
from tests.simulator.errors import Json
from tests.simulator.snowflake import Snowflakes

_GOOD_FOR_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Upload:
    """A file that somebody sends."""

    filename: str
    data: bytes
    description: str | None = None

    @property
    def content_type(self) -> str:
        """What Discord takes it for, by its name."""
        return mimetypes.guess_type(self.filename)[0] or "application/octet-stream"


class Cdn:
    """Keeps files; an address is signed and good for a day."""

    def __init__(self, clock: Clock, ids: Snowflakes) -> None:
        self.base_url = ""
        self._clock = clock
        self._ids = ids
        self._key = secrets.token_bytes(16)
        self._files: dict[str, Upload] = {}

    def store(self, channel_id: int, upload: Upload) -> Json:
        """Keep a file and return the attachment object."""
        attachment_id = self._ids.new()
        path = f"/attachments/{channel_id}/{attachment_id}/{quote(upload.filename)}"
        self._files[path] = upload
        url = f"{self.base_url}{path}?{self._signature(path)}"
        attachment: Json = {
            "id": str(attachment_id),
            "filename": upload.filename,
            "size": len(upload.data),
            "url": url,
            "proxy_url": url,
            "content_type": upload.content_type,
            "flags": 0,
        }
        if upload.description:
            attachment["description"] = upload.description
        return attachment

    def fetch(self, path: str, query: dict[str, str]) -> Upload | None:
        """Return the file behind an address; None for a wrong, changed or expired one."""
        upload = self._files.get(path)
        expires = query.get("ex", "")
        try:
            expired = int(expires, 16) < self._clock.wall()
        except ValueError:
            return None
        genuine = hmac.compare_digest(query.get("hm", ""), self._mac(path, expires))
        return upload if genuine and not expired else None

    def _signature(self, path: str) -> str:
        now = int(self._clock.wall())
        expires = f"{now + _GOOD_FOR_SECONDS:x}"
        return f"ex={expires}&is={now:x}&hm={self._mac(path, expires)}"

    def _mac(self, path: str, expires: str) -> str:
        return hmac.new(self._key, f"{path}|{expires}".encode(), hashlib.sha256).hexdigest()
