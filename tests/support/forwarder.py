"""A forward proxy that looks at nothing: the way past Tollgate, to compare with."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LOOPBACK = "127.0.0.1"
MAX_HEAD = 64 * 1024


@contextmanager
def forwarding(tls_port: int, plain_port: int) -> Iterator[str]:
    """The URL of a proxy for which every host is the simulator: TLS on one port, plain HTTP on another."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            forward(self.request, tls_port, plain_port)

    with _Server((LOOPBACK, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


def forward(client: socket.socket, tls_port: int, plain_port: int) -> None:
    """A CONNECT becomes a tunnel; any other request goes on as it is."""
    head = _head(client)
    tunnel = head.startswith(b"CONNECT ")
    with socket.create_connection((LOOPBACK, tls_port if tunnel else plain_port)) as upstream:
        if tunnel:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            upstream.sendall(head)
        back = threading.Thread(target=_relay, args=(upstream, client), daemon=True)
        back.start()
        _relay(client, upstream)
        back.join()


def _head(client: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and len(head) < MAX_HEAD and (data := client.recv(4096)):
        head += data
    return head


def _relay(source: socket.socket, target: socket.socket) -> None:
    """Until one side ends; the end is passed on."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        target.close()
