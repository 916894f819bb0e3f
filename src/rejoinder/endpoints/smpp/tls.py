"""TLS for the SMPP server: its certificate from files.

Refuses, with a sentence that names the setting, a key without a certificate and files that are none.
"""

from __future__ import annotations

import ssl

from rejoinder.errors import ConfigInvalid


def tls_context(certificate: str, key: str) -> ssl.SSLContext | None:
    """None where neither is given. Raises ConfigInvalid."""
    if not certificate:
        if key:
            raise ConfigInvalid("smpp_tls_key needs smpp_tls_cert", "smpp_tls_key")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key or None)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or type(error).__name__
        raise ConfigInvalid(
            f"smpp_tls_cert or smpp_tls_key can't be used: {reason}", "smpp_tls_cert"
        ) from None
    return context
