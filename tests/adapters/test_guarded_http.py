"""Names are believed only as far as their addresses go."""

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.adapters.address_guard import AddressGuard
from bot.adapters.guarded_http import GuardedHttp
from services.audio.errors import AddressRefused, ExtractionFailed, ExtractionReason
from tests.simulator.site import MusicSite


class Names:
    """A name server: each name has the address lists of its next lookups; the last one stays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.addresses: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        monkeypatch.setattr(socket, "getaddrinfo", self._getaddrinfo)

    def _getaddrinfo(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        self.asked.append(host)
        turns = self.addresses[host]
        found = turns.pop(0) if len(turns) > 1 else turns[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


@pytest.fixture
async def site() -> AsyncIterator[MusicSite]:
    async with MusicSite() as running:
        yield running


async def fetch(url: str, *allow_hosts: str) -> bytes:
    http = GuardedHttp(AddressGuard(allow_hosts), connect_timeout=2, idle_timeout=2)
    try:
        async with http.get(url, {}) as answer:
            return await answer.read()
    finally:
        await http.close()


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["127.0.0.1", "1.1.1.1"], ["169.254.169.254"]],
)
async def test_name_with_any_private_address_is_refused(
    names: Names, site: MusicSite, addresses: list[str]
) -> None:
    names.addresses["music.example"] = [addresses]
    port = site.host.rpartition(":")[2]
    with pytest.raises(AddressRefused):
        await fetch(f"http://music.example:{port}/tone/440/1.mp3")
    assert site.requests.total() == 0


async def test_name_that_turns_private_between_two_requests_is_refused(
    names: Names, site: MusicSite
) -> None:
    port = site.host.rpartition(":")[2]
    names.addresses["good.example"] = [["127.0.0.1"]]
    names.addresses["rebind.example"] = [["127.0.0.1"]]
    target = f"http://rebind.example:{port}/tone/440/1.mp3"
    with pytest.raises(AddressRefused):
        await fetch(f"http://good.example:{port}/redirect?to={target}", "good.example")
    assert site.requests == {"/redirect": 1}
    assert names.asked == ["good.example", "rebind.example"]  # and never a second time


async def test_private_name_that_the_admin_allows_is_fetched(names: Names, site: MusicSite) -> None:
    port = site.host.rpartition(":")[2]
    names.addresses["nas.home"] = [["127.0.0.1"]]
    body = await fetch(f"http://nas.home:{port}/article/1", f"nas.home:{port}")
    assert b"Music plays here" in body
    with pytest.raises(AddressRefused):
        await fetch(f"http://nas.home:{port}/article/1", "nas.home:1")


async def test_address_with_a_password_is_not_fetched(site: MusicSite) -> None:
    with pytest.raises(AddressRefused) as refused:
        await fetch(f"http://me:secret@{site.host}/article/1", site.host)
    assert "secret" not in refused.value.sentence


async def test_port_that_nobody_listens_on_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ExtractionFailed) as failed:
            await fetch(f"http://{host}/x.mp3", host)
    assert failed.value.reason is ExtractionReason.UNREACHABLE
