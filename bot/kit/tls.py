"""Trust for our connections: the system's authorities, and one more where a setting names it."""

import ssl
from pathlib import Path


def client_context(further_ca: Path | None = None) -> ssl.SSLContext:
    """Make a TLS context for clients that trusts the system's authorities and `further_ca`.

    The system's own file is loaded by its name, because OpenSSL reads the variable SSL_CERT_FILE
    in its place.

    Raises:
        OSError: `further_ca` cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    system = Path(paths.openssl_cafile)
    if system.is_file():
        context.load_verify_locations(cafile=str(system))
    if further_ca is not None:
        context.load_verify_locations(cafile=str(further_ca))
    return context
