"""What operators and their machines look at: health, figures, and the description itself."""

from __future__ import annotations

from collections.abc import Mapping

from rejoinder.endpoints.http.describe.schema import Description, Look, Schema, closed, text

_CARRIERS = {"type": "object", "additionalProperties": text(description="up, down, or what is wrong")}

SHAPES: Mapping[str, Schema] = {
    "Alive": closed({"status": text(const="ok")}),
    "Ready": closed({"status": text(const="ready"), "database": text(const="ok"), "carriers": _CARRIERS}),
    "NotReady": closed(
        {
            "status": text(const="not ready"),
            "database": text(minLength=1, description="What is wrong, in a sentence."),
            "carriers": _CARRIERS,
        }
    ),
    "Metrics": text(description="Prometheus' text format 0.0.4."),
    "Page": text(description="A page for people."),
    "OpenApi": {"type": "object", "required": ["openapi", "info", "paths"]},
}

DESCRIPTIONS: Mapping[str, Description] = {
    "/healthz": Look("healthz", "Whether the process answers", {200: "Alive"}),
    "/readyz": Look("readyz", "Whether database and migrations are right", {200: "Ready", 503: "NotReady"}),
    "/metrics": Look("metrics", "Figures for Prometheus", {200: "Metrics"}, "text/plain"),
    "/openapi.json": Look("openapi", "This document", {200: "OpenApi"}),
    "/docs": Look(
        "docs", "This document as a page, where each call can be tried", {200: "Page"}, "text/html"
    ),
}
