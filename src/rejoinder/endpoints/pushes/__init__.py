"""How pushes leave: over HTTP with a guard, and by mail."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network

from rejoinder.clock import Clock
from rejoinder.config import Config
from rejoinder.endpoints.pushes.mail import MailCourier, MailServer
from rejoinder.endpoints.pushes.web import WebCourier
from rejoinder.flow.push_queue import MAIL, WEB
from rejoinder.flow.pushes import Courier


def couriers(config: Config, clock: Clock) -> Mapping[str, Courier]:
    """The couriers that the settings ask for, by channel."""
    allow = [ip_network(one) for one in config.push_allow.split(",") if one]
    found: dict[str, Courier] = {WEB: WebCourier(clock, allow)}
    if config.smtp_host:
        found[MAIL] = MailCourier(
            MailServer(
                config.smtp_host,
                config.smtp_port,
                config.smtp_from,
                config.smtp_user,
                config.smtp_password,
                config.smtp_tls,
            )
        )
    return found
