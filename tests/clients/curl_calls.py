"""libcurl and the curl program, over HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from typing import Any

import pycurl
from http_calls import ANTHROPIC, CHAT, CLAUDE, MESSAGES, ODD, OPENAI
from report import TIMEOUT, Call

OFFER = {"1.1": pycurl.CURL_HTTP_VERSION_1_1, "2": pycurl.CURL_HTTP_VERSION_2TLS}

SPOKEN = {pycurl.CURL_HTTP_VERSION_1_1: "HTTP/1.1", pycurl.CURL_HTTP_VERSION_2_0: "HTTP/2"}


def post(url: str, body: bytes, headers: dict[str, str], version: str) -> Iterator[Any]:
    """Status, content type and body, byte for byte."""
    told = io.BytesIO()
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.HTTP_VERSION, OFFER[version])
    curl.setopt(pycurl.CAINFO, os.environ["SSL_CERT_FILE"])
    curl.setopt(pycurl.TIMEOUT, int(TIMEOUT))
    curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in headers.items()])
    curl.setopt(pycurl.POSTFIELDS, body)
    curl.setopt(pycurl.WRITEDATA, told)
    curl.perform()
    yield {"http": SPOKEN[curl.getinfo(pycurl.INFO_HTTP_VERSION)]}
    yield {"status": curl.getinfo(pycurl.RESPONSE_CODE), "type": curl.getinfo(pycurl.CONTENT_TYPE)}
    yield told.getvalue()
    curl.close()


def program(url: str, body: bytes, headers: dict[str, str], version: str) -> Iterator[Any]:
    """The same of the curl program, which takes proxy and authority from its environment."""
    given = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    told = "%{stderr}%{http_version} %{http_code} %{content_type}"
    command = ["curl", "-sSN", f"--http{version}", "-m", str(int(TIMEOUT)), "-w", told, *given]
    done = subprocess.run([*command, "--data-binary", "@-", url], input=body, capture_output=True, check=True)
    spoken, status, kind = done.stderr.decode().split(" ", 2)
    yield {"http": f"HTTP/{spoken}"}
    yield {"status": int(status), "type": kind}
    yield done.stdout


CALLS: dict[str, Call] = {
    "curl-whole-http1": partial(post, CHAT, ODD, OPENAI, "1.1"),
    "curl-streamed-http1": partial(post, MESSAGES, CLAUDE, ANTHROPIC, "1.1"),
    "curl-whole-http2": partial(post, CHAT, ODD, OPENAI, "2"),
    "curl-streamed-http2": partial(post, MESSAGES, CLAUDE, ANTHROPIC, "2"),
}
if shutil.which("curl"):
    CALLS |= {
        "curl-program-whole-http1": partial(program, CHAT, ODD, OPENAI, "1.1"),
        "curl-program-streamed-http1": partial(program, MESSAGES, CLAUDE, ANTHROPIC, "1.1"),
        "curl-program-whole-http2": partial(program, CHAT, ODD, OPENAI, "2"),
        "curl-program-streamed-http2": partial(program, MESSAGES, CLAUDE, ANTHROPIC, "2"),
    }
