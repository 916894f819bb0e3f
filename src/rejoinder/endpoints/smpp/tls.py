"""TLS for the SMPP server: its certificate from files.

Refuses, with a sentence that names the setting and the file, a key without a certificate and files that are none.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from rejoinder.errors import ConfigInvalid


def tls_context(certificate: str, key: str) -> ssl.SSLContext | None:
    """None where neither is given. Raises ConfigInvalid."""
    if not certificate:
        if key:
            raise ConfigInvalid("smpp_tls_key needs smpp_tls_cert", "smpp_tls_key")
        return None
    _check_readable("smpp_tls_cert", certificate)
    if key:
        _check_readable("smpp_tls_key", key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key or None)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or type(error).__name__
        files = f"{certificate} and {key}" if key else certificate
        raise ConfigInvalid(
            f"smpp_tls_cert or smpp_tls_key can't be used: {reason}: {files}", "smpp_tls_cert"
        ) from None
    return context


def _check_readable(setting: str, file: str) -> None:
    """OpenSSL doesn't say which of the two files is not there."""
    try:
        with Path(file).open("rb"):
            pass
    except OSError as error:
        raise ConfigInvalid(f"{setting} can't be read: {error.strerror}: {file}", setting) from None
