"""Whom the voice connections trust: the system's authorities, and one more where it is named."""

import os
import ssl
from functools import cache
from pathlib import Path


@cache
def voice_tls_context() -> ssl.SSLContext:
    """Return the one TLS context of this process; reading the authorities is slow and big.

    `SSL_CERT_FILE` makes OpenSSL forget its own bundle, but means a *further* authority here
    (company proxies, tests): both are read.
    """
    context = ssl.create_default_context()
    bundle = Path(ssl.get_default_verify_paths().openssl_cafile)
    if os.environ.get("SSL_CERT_FILE") and bundle.is_file():
        context.load_verify_locations(bundle)
    return context
