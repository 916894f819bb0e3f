"""The calls of resellers, and the activation of their users (contract §9)."""

from __future__ import annotations

from collections.abc import Mapping

from rejoinder.endpoints.http.describe.schema import Description, Schema

SHAPES: Mapping[str, Schema] = {}

DESCRIPTIONS: Mapping[str, Description] = {}
