"""A certificate authority that lives as long as a test, so that TLS is real and checked.

The voice gateway is reached by `wss://` only. Clients trust the authority by `SSL_CERT_FILE`, which
*replaces* the system's bundle: the file written here therefore holds both. Python 3.13 verifies
strictly (VERIFY_X509_STRICT): it refuses chains without subject and authority key identifiers.
"""

import datetime as dt
import ipaddress
import shutil
import ssl
import tempfile
import weakref
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = dt.timedelta(days=2)
_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)


class CertificateAuthority:
    """Issues server certificates for this machine; its files go with the object."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="test-authority-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _signed(
            _unsigned("Test authority", self._key.public_key())
            .issuer_name(_name("Test authority"))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(_authority_id(self._key), critical=False),
            self._key,
        )
        self.ca_file = self._folder / "ca.pem"
        """Path of this authority's certificate, followed by the system's bundle."""
        self.ca_file.write_bytes(self._pem() + _system_bundle())

    def server_context(self) -> ssl.SSLContext:
        """Return a TLS context for a server at `localhost`, 127.0.0.1 or ::1."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName(
            [
                x509.DNSName("localhost"),
                x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                x509.IPAddress(ipaddress.ip_address("::1")),
            ]
        )
        leaf = _signed(
            _unsigned("localhost", key.public_key())
            .issuer_name(self._certificate.subject)
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_authority_id(self._key), critical=False),
            self._key,
        )
        path = self._folder / f"server-{leaf.serial_number}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + leaf.public_bytes(serialization.Encoding.PEM)
            + self._pem()
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        return context

    def client_context(self) -> ssl.SSLContext:
        """Return a TLS context that trusts this authority alone and checks host names."""
        return ssl.create_default_context(cadata=self._pem().decode())

    def java_truststore(self, password: str) -> bytes:
        """Return a PKCS#12 store for `-Djavax.net.ssl.trustStore` with this authority alone."""
        entry = pkcs12.PKCS12Certificate(self._certificate, b"test-authority")
        encryption = serialization.BestAvailableEncryption(password.encode())
        return pkcs12.serialize_java_truststore([entry], encryption)

    def _pem(self) -> bytes:
        return self._certificate.public_bytes(serialization.Encoding.PEM)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _unsigned(subject: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LIFE)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _signed(
    builder: x509.CertificateBuilder, authority: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    return builder.sign(authority, hashes.SHA256())


def _authority_id(authority: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _system_bundle() -> bytes:
    compiled_in = ssl.get_default_verify_paths().openssl_cafile
    for candidate in (compiled_in, *_SYSTEM_BUNDLES):
        if Path(candidate).is_file():
            return Path(candidate).read_bytes()
    return b""
