"""What strange requests are made of: values, methods, headers and pieces of framing that no honest program sends."""

from __future__ import annotations

WILD = (
    *(
        b"",
        b"0",
        b"-1",
        b"1",
        b"12.5",
        b"1e9",
        b"NaN",
        b"null",
        b"[]",
        b"{}",
        b"true",
        b"'",
        b'"',
        b"\\",
        b"<b>",
    ),
    *(
        b"%",
        b"%0",
        b"%zz",
        b"%00",
        b"%ff",
        b"%ed%a0%80",
        b"%c0%80",
        b"%F0%9F%98%80",
        b"+",
        b"++",
        b"%2B5",
        b"%0d%0a",
    ),
    *(
        b"9" * 19,
        b"9" * 20,
        b"-" + b"9" * 30,
        b"9" * 400,
        b"%D9%A3",
        b"%u0041",
        b"a" * 300,
        b"x" * 3_000,
        b"%E2%82%AC" * 70,
    ),
)
RAW = (b"\xff", b"\0", b"\xed\xa0\x80", b"\x80\x81", b"\r", b"\x1b")
METHODS = (b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE")
NO_METHODS = (b"CONNECT", b"PRI", b"get", b"FOO", b"", b"GET GET", b"PROPFIND")
HEADERS = (
    *(
        b"Accept: */*",
        b"Cookie: a=b",
        b"X-Forwarded-For: 1.2.3.4, nonsense",
        b"X-Forwarded-For: [",
        b"Origin: null",
    ),
    *(
        b"Authorization: Bearer x",
        b"Authorization: \xff",
        b"If-None-Match: *",
        b"Expect: 100-continue",
        b"Expect: x",
    ),
    *(
        b"Upgrade: websocket",
        b"Accept-Encoding: gzip",
        b"Range: bytes=0-1",
        b"X: " + b"y" * 2_000,
        b"A:",
        b"Te: trailers",
    ),
)
LENGTHS = (
    *(
        b"0",
        b"1",
        b"-1",
        b"+5",
        b"5 5",
        b"5,5",
        b"0x5",
        b"",
        b" ",
        b"1e3",
        b"99999999999",
        b"18446744073709551616",
    ),
    *(b"18446744073709551615", b"65536", b"65537", b"00005", b"\x005"),
)
LIES = (
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: nonsense"),
    *(
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding: chunked, identity",
        b"Connection: close, keep-alive",
    ),
    *(
        b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x",
        b"Connection: upgrade\r\nUpgrade: h2c",
    ),
    *(
        b"Content-Type: multipart/form-data",
        b"Content-Type:",
        b"Host: a\r\nHost: b",
        b" folded: x",
        b"\tx",
        b": x",
        b"x",
    ),
    *(b"a b: c", b"\xff: x", b"x: \0", b"x: a\nb: c", b"x: a\rb: c"),
)
CHUNKS = (
    *(
        b"0\r\n\r\n",
        b"5\r\nab",
        b"5\r\na=b&c\r\n0\r\n\r\n",
        b"5;x=y\r\na=b&c\r\n0\r\nTrailer: x\r\n\r\n",
        b"-1\r\n\r\n",
        b"zz\r\n",
    ),
    *(
        b"FFFFFFFFFFFFFFFF\r\n",
        b"10000000000000000\r\n",
        b"5\na=b&c\n0\n\n",
        b"0\r\nContent-Length: 5\r\n\r\n",
        b"\r\n",
        b"1\r\na" * 40,
    ),
)
LINES = (
    *(
        b" HTTP/1.0",
        b" HTTP/1.1 ",
        b" HTTP/2.0",
        b" HTTP/9.9",
        b"",
        b" http/1.1",
        b" HTTP/1.1\r",
        b" HTTP/11",
        b" HTTP/0.9",
    ),
    *(b" RTSP/1.0", b"  HTTP/1.1", b"\tHTTP/1.1"),
)
TARGETS = (
    *(
        b"*",
        b"/",
        b"//",
        b"/%",
        b"/%00",
        b"/%ff",
        b"/../..",
        b"http://other.example/healthz",
        b"?",
        b"#",
        b"",
        b"\xff",
    ),
    *(
        b"/carriers/",
        b"/carriers//inbound",
        b"/carriers/%00/inbound",
        b"/services/rest/user/allMessages/",
        b"a:1",
        b"/docs/%2e%2e",
    ),
)
