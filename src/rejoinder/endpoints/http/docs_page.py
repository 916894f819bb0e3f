"""The page at /docs: the API's description to read, and each call to try, without anything from outside.

Serves its few files from memory, each under an address with its hash, so that browsers keep them. Refuses
(404) every other name, and by its Content-Security-Policy every script, style and request from elsewhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from rejoinder.endpoints.http.responses import Response, not_found
from rejoinder.endpoints.http.server import RawOperation, Request

PATH = "/docs"
_TYPES = {
    "swagger-ui.css": b"text/css; charset=utf-8",
    "page.css": b"text/css; charset=utf-8",
    "swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
    "page.js": b"text/javascript; charset=utf-8",
}
# Swagger UI's icons are data: addresses in its style sheet.
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_A_YEAR = b"public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    """One file as it is served; `tag` is its quoted hash."""

    body: bytes
    content_type: bytes
    tag: bytes
    cache: bytes

    @classmethod
    def of(cls, body: bytes, content_type: bytes, kept: bytes) -> _File:
        return cls(body, content_type, b'"%b"' % hashlib.sha256(body).hexdigest()[:16].encode(), kept)


@cache
def _served() -> dict[str, _File]:
    """Path to file: the page itself, which is asked for again each time, and what it is made of."""
    folder = files("rejoinder.endpoints.http") / "try_it"
    parts = {name: _File.of((folder / name).read_bytes(), kind, _A_YEAR) for name, kind in _TYPES.items()}
    page = (folder / "page.html").read_text(encoding="utf-8")
    for name, part in parts.items():
        page = page.replace("{{" + name + "}}", f"docs/{name}?{part.tag.decode().strip(chr(34))}")
    whole = {f"{PATH}/{name}": part for name, part in parts.items()}
    whole[PATH] = _File.of(page.encode(), b"text/html; charset=utf-8", b"no-cache")
    return whole


class DocsPage:
    """The page and its files."""

    def operations(self) -> list[RawOperation]:
        return [RawOperation(PATH, self.show, prefix=True)]

    async def show(self, request: Request) -> Response:
        """200 with the file, 304 where the browser has it, 404 for another name."""
        found = _served().get(request.path)
        if found is None:
            return not_found()
        extra = (*_SAFE, (b"etag", found.tag))
        known = [
            tag.strip().removeprefix(b"W/") for tag in (request.header(b"if-none-match") or b"").split(b",")
        ]
        if found.tag in known or b"*" in known:
            return Response(b"", 304, extra, found.content_type, found.cache)
        return Response(found.body, 200, extra, found.content_type, found.cache)
