"""A further authority is trusted beside the system's, not in their place."""

import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.kit.tls import client_context


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "company proxy")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "proxy.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
async def address(certificate: Path) -> AsyncIterator[str]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def fetch(address: str, context: ssl.SSLContext) -> str:
    async with aiohttp.ClientSession() as session, session.get(address, ssl=context) as response:
        return await response.text()


async def test_host_of_a_further_authority_is_trusted(address: str, certificate: Path) -> None:
    assert await fetch(address, client_context(certificate)) == "hello"


async def test_host_of_an_unknown_authority_is_refused(address: str) -> None:
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await fetch(address, client_context())


def test_systems_authorities_stay_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = {authority["serialNumber"] for authority in client_context().get_ca_certs()}
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # OpenSSL would read it instead
    both = {authority["serialNumber"] for authority in client_context(certificate).get_ca_certs()}

    assert len(both) == len(system) + 1
    assert system < both


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        client_context(tmp_path / "missing.pem")
