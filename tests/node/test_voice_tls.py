"""A further authority is trusted beside the system's, not instead of them."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.node.voice_tls import voice_tls_context
from tests.simulator.voice import CertificateAuthority

_END = "-----END CERTIFICATE-----"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    voice_tls_context.cache_clear()
    yield
    voice_tls_context.cache_clear()


def common_names(context: ssl.SSLContext) -> set[str]:
    names: set[str] = set()
    for authority in context.get_ca_certs():
        names.update(str(part[0][1]) for part in authority["subject"])
    return names


def test_named_authority_is_added_to_the_systems(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    systems = common_names(voice_tls_context())
    voice_tls_context.cache_clear()
    authority = CertificateAuthority()
    own, _end, _systems = authority.ca_file.read_text().partition(_END)
    alone = tmp_path / "ca.pem"
    alone.write_text(own + _END)
    monkeypatch.setenv("SSL_CERT_FILE", str(alone))
    assert common_names(voice_tls_context()) == systems | {"Test authority"}


def test_context_checks_names_and_is_made_once() -> None:
    context = voice_tls_context()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert voice_tls_context() is context
