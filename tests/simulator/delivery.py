"""An answer put on the wire: as it should be, or broken in the way that the test asks for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator

from aiohttp import web

from simulator.behaviour import INVALID, Behaviour
from simulator.encodings import encode
from simulator.errors import BROKEN
from simulator.exchange import Answer, Mistake
from simulator.journal import Entry, Gates, Journal
from simulator.providers import Fault

NOT_UTF8 = b"\xe2\x28\xa1\xff"
NOT_HTTP = b"\x15\x03\x01\x00\x02\x02\x16 this is no HTTP\r\n\r\n"
NOT_A_BODY = b"\x00\xfe<<< neither an event nor JSON >>>\xff\n"


class Delivery:
    """One answer on its way to the client."""

    def __init__(
        self, request: web.Request, behaviour: Behaviour, entry: Entry, journal: Journal, gates: Gates
    ) -> None:
        self.request = request
        self.behaviour = behaviour
        self.entry = entry
        self.journal = journal
        self.gates = gates

    async def send(self, answer: Answer, fault: Fault) -> web.StreamResponse:
        """Write the answer; the journal's entry says when."""
        if self.behaviour.hang:
            await self.gates.wait(self.behaviour.hang)
        response = self._head(answer)
        if self.behaviour.refuse:
            return self._close(response)
        if self.behaviour.garbage == "head":
            return self._close(response, NOT_HTTP)
        pieces: Iterable[bytes] = encode(self._pieces(answer, fault), self.behaviour.encoding)
        if not answer.streamed:
            pieces = list(pieces)
            response.content_length = sum(map(len, pieces))
        await response.prepare(self.request)
        for number, piece in enumerate(pieces):
            if number == self.behaviour.cut:
                return self._close(response)
            await self._write(response, piece, number)
        await response.write_eof()
        self.entry.ended = time.time()
        return response

    def _head(self, answer: Answer) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        response.headers["Content-Type"] = self.behaviour.content_type or answer.content_type
        if self.behaviour.encoding:
            response.headers["Content-Encoding"] = self.behaviour.encoding
        if self.behaviour.retry_after and answer.status >= 400:
            response.headers["Retry-After"] = self.behaviour.retry_after
        return response

    def _pieces(self, answer: Answer, fault: Fault) -> Iterator[bytes]:
        for number, piece in enumerate(answer.pieces):
            if number == self.behaviour.error_after:
                status = self.behaviour.status or BROKEN.status
                yield fault(Mistake(status, BROKEN.message))
                return
            if self.behaviour.garbage == "body":
                yield NOT_A_BODY
            else:
                yield piece.replace(INVALID.encode(), NOT_UTF8) if self.behaviour.invalid_utf8 else piece

    async def _write(self, response: web.StreamResponse, piece: bytes, number: int) -> None:
        if number == 1 and self.behaviour.hold:
            await self.gates.wait(self.behaviour.hold)
        if number and self.behaviour.gap:
            await asyncio.sleep(self.behaviour.gap)
        self.entry.writes.append(time.time())
        self.journal.notify()
        size = self.behaviour.split or len(piece) or 1
        for start in range(0, len(piece), size):
            await response.write(piece[start : start + size])

    def _close(self, response: web.StreamResponse, last_words: bytes = b"") -> web.StreamResponse:
        """End the connection without ending the answer."""
        if self.request.transport is not None:
            self.request.transport.write(last_words)
            self.request.transport.close()
        self.entry.ended = time.time()
        return response
