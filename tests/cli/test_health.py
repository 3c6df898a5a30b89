from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from support.stage import free_port
from tollgate.calls import Checkup
from tollgate.cli.health import checkups_at

TARGETS = {"a": {"check": "passing"}, "b": {"check": "failing", "seconds": 3, "problem": "down"}}


@contextmanager
def admin(status: int, body: Any) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("status", [200, 503])
def test_targets_are_as_the_proxy_says(status: int) -> None:
    with admin(status, {"ok": status == 200, "rooms": {"upstream": {"ok": True, "targets": TARGETS}}}) as at:
        assert checkups_at(at) == {"a": Checkup(), "b": Checkup(problem="down")}


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, {}), (200, {}), (200, []), (200, {"rooms": {"upstream": {"targets": {"a": 1}}}})],
)
def test_what_is_no_tollgate_is_told(status: int, body: Any) -> None:
    with admin(status, body) as at, pytest.raises(ValueError, match=f"no Tollgate tells .*{at}"):
        checkups_at(at)


def test_nobody_there_is_told() -> None:
    with pytest.raises(ValueError, match=r"no Tollgate tells .*refused"):
        checkups_at(f"127.0.0.1:{free_port()}")
    with pytest.raises(ValueError, match="no such place"):
        checkups_at("no such place")
