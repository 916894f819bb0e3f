"""The HTTP API: bare ASGI, a table of paths, no framework (measured: docs/adr)."""
