"""No spelling of a private address passes for a public one."""

import pytest

from bot.adapters.address_guard import AddressGuard, is_public
from services.audio.errors import AddressRefused


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "198.18.0.1",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "::127.0.0.1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2002:7f00:1::",
        "2002:c0a8:101::1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "fec0::1",
        "not an address",
        "",
    ],
)
def test_guard_with_an_address_of_no_public_network_refuses_it(address: str) -> None:
    assert not is_public(address)
    assert not AddressGuard().permits("music.example", 443, address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "2002:101:101::"],
)
def test_guard_with_a_public_address_permits_it(address: str) -> None:
    assert AddressGuard().permits("music.example", 443, address)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "[::1]",
        "::1",
        "[::ffff:127.0.0.1]",
        "127.0.0.1.",
        "0",
    ],
)
def test_guard_with_an_oddly_spelled_loopback_refuses_it(host: str) -> None:
    with pytest.raises(AddressRefused, match="private network"):
        AddressGuard().check_host(host, 80)


def test_guard_with_a_name_waits_for_its_addresses() -> None:
    AddressGuard().check_host("music.example", 80)


@pytest.mark.parametrize(
    ("entry", "host", "port", "allowed"),
    [
        ("nas.local", "nas.local", 80, True),
        ("nas.local", "NAS.local.", 8080, True),
        ("nas.local:8080", "nas.local", 8080, True),
        ("nas.local:8080", "nas.local", 22, False),
        ("nas.local", "evil.nas.local", 80, False),
        ("192.168.1.5:81", "192.168.1.5", 81, True),
        ("192.168.1.5:81", "3232235781", 81, True),
        ("192.168.1.5:81", "192.168.1.6", 81, False),
        ("[fd00::5]:81", "[fd00::5]", 81, True),
        ("[fd00::5]:81", "fd00::5", 82, False),
        ("fd00::5", "[fd00:0::5]", 82, True),
    ],
)
def test_guard_with_allowed_hosts_permits_exactly_these(
    entry: str, host: str, port: int, *, allowed: bool
) -> None:
    guard = AddressGuard([entry])
    assert guard.allows_host(host, port) is allowed
    assert guard.permits(host, port, "192.168.1.5") is allowed
