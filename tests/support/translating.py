"""A server that speaks every client's dialect and asks a simulated provider in another: /{target}/the/path.

Run as a program it says its port: python tests/support/translating.py READY_FILE
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from urllib.parse import unquote

import orjson
from aiohttp import web
from multidict import CIMultiDict

from simulator.behaviour import HEADER, Behaviour
from support.targets import MODELS, ask
from tollgate.dialects import FRAMINGS, dialect
from tollgate.routing.translation import TranslatedRequest, request

SOURCES = {
    r".*/chat/completions": "openai-chat",
    r".*/responses": "openai-responses",
    r".*/messages": "anthropic-messages",
    r".*:(generateContent|streamGenerateContent)": "gemini",
    r".*/model/[^/]+/(converse|converse-stream)": "bedrock-converse",
    r".*/embeddings": "openai-embeddings",
}


async def handle(asked: web.Request) -> web.StreamResponse:
    target = asked.match_info["target"]
    path = "/" + asked.match_info["path"]
    source = next(name for pattern, name in SOURCES.items() if re.fullmatch(pattern, path))
    body = orjson.loads(await asked.read())
    params = {"verb": path.rpartition(":")[2] if source == "gemini" else path.rpartition("/")[2]}
    stream = dialect(source).streams(body, params)
    headers = CIMultiDict(asked.headers)
    sent = request(
        source,
        target,
        path=unquote(path),
        params=params,
        headers=headers,
        body=body,
        model=MODELS[target],
        stream=stream,
    )
    return await _answer(asked, source, target, sent)


async def _answer(
    asked: web.Request, source: str, target: str, sent: TranslatedRequest
) -> web.StreamResponse:
    behaviour = Behaviour.parse(asked.headers.get(HEADER, "{}"))
    answer = ask(target, sent, behaviour)
    headers = CIMultiDict({"date": "Sun, 22 Nov 2026 10:00:00 GMT", **answer.headers})
    if not answer.streamed:
        status, told, body, _ = sent.session.answer(answer.status, headers, b"".join(answer.pieces))
        return web.Response(status=status, headers=told, body=body)
    framing = FRAMINGS[dialect(source).framing]
    response = web.StreamResponse(headers={"content-type": framing.content_type})
    await response.prepare(asked)
    encoder, decoder = framing.encoder(), FRAMINGS[dialect(target).framing].decoder()
    translator = sent.session.events(headers)
    for piece in answer.pieces:
        for event in decoder.feed(piece):
            for out in translator.feed(event):
                await response.write(encoder.encode(out))
    for out in [each for event in decoder.close() for each in translator.feed(event)] + translator.close():
        await response.write(encoder.encode(out))
    return response


async def serve(ready: Path) -> None:
    """Until it is ended."""
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/{target}/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    ready.write_text(str(runner.addresses[0][1]))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
