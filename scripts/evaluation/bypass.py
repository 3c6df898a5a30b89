"""Requests that hide values: how many of them the default policy keeps from leaving."""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from multidict import CIMultiDict
from rich.table import Table

from evaluation.data import Rows
from evaluation.tables import table
from tollgate.calls import Body, BodyError, Call, Identity, Request
from tollgate.calls.coding import CodingError, decode
from tollgate.calls.credentials import SECRET_HEADERS, SECRET_PARAMETERS
from tollgate.dialects import dialect
from tollgate.dlp.engine import Engine
from tollgate.dlp.examine import Examiner
from tollgate.dlp.fresh import fresh
from tollgate.dlp.operators import Operators
from tollgate.dlp.tokens import Book, Minter
from tollgate.dlp.treat import Withheld, treat
from tollgate.dlp.views import ViewError
from tollgate.gate.exchange import is_json
from tollgate.policy import Settings
from tollgate.policy.dlp import Detection, Dlp
from tollgate.providers import Providers
from tollgate.store import Digester

_KEY = bytes(32)
_WITHHELD = Withheld(SECRET_HEADERS, SECRET_PARAMETERS)


def bypasses(rows: Rows, engine: Engine) -> Table:
    """Recall by technique, then in all; last, how many harmless requests are flagged."""
    digester = Digester(_KEY)
    examiner = Examiner(engine, Detection().views, lambda data: digester.digest("dlp slot", data))
    providers = Providers.builtin()
    cases: Counter[tuple[int, str]] = Counter()
    caught: Counter[tuple[int, str]] = Counter()
    for row in rows:
        lines = _lines(row)
        cases.update(lines)
        caught.update(lines if is_caught(row, examiner, providers) else ())
    made = table("technique", "cases", "caught", "recall")
    for line, number in sorted(cases.items()):
        made.add_row(line[1], str(number), str(caught[line]), f"{caught[line] / number:.3f}")
    return made


def _lines(row: Mapping[str, Any]) -> list[tuple[int, str]]:
    """The table's lines that count a case, each with how far down it stands."""
    if not row["expect"]:
        return [(3, "harmless, flagged")]
    if row["note"].startswith("known hard"):
        return [(0, f"{row['technique']} (hard)"), (1, "all")]
    return [(0, row["technique"]), (1, "all"), (2, "all but the hard ones")]


def is_caught(row: Mapping[str, Any], examiner: Examiner, providers: Providers) -> bool:
    """Whether a case is refused, or something in it is changed and no expected value is left in its body."""
    call = _call(row, providers)
    try:
        _read(call)
        treatment = treat(
            call,
            fresh(call, examiner.history),
            examiner,
            Book(Minter(_KEY)),
            Operators(_KEY).apply,
            _WITHHELD,
        )
    except (BodyError, CodingError, ViewError):
        return True  # the policy refuses what cannot be looked into
    treatment.apply(call.request)
    acted = any(finding.action != "report" for finding in treatment.findings)
    return bool(treatment.refusal) or (acted and not _holds(call.request.body, row["expect"]))


def _call(row: Mapping[str, Any], providers: Providers) -> Call:
    match = providers.recognise(row["host"], 443, row["method"], row["path"])
    if match is None:
        raise SystemExit(f"{row['id']}: {row['host']} is no provider's host")
    headers = CIMultiDict(row["headers"])
    body = Body(b64decode(row["body_b64"]), encoding=headers.get("content-encoding", ""))
    request = Request(row["method"], "https", row["host"], 443, row["path"], headers, body)
    return Call(
        id=row["id"],
        time=0.0,
        identity=Identity(user="", address=""),
        provider=match.provider.id,
        dialect=dialect(match.dialect),
        operation=match.operation,
        model=match.params.get("model", ""),
        stream=False,
        params=match.params,
        policy=Settings(dlp=Dlp(enabled=True)),
        client_request=request,
        request=request,
    )


def _read(call: Call) -> None:
    """Decode and parse a body as the gate does."""
    body = call.request.body
    if body.encoding:
        body.content = decode(body.wire, body.encoding, call.policy.bodies.max_size)
    if is_json(call, body.content):
        body.parse(call.dialect.shape)


def _holds(body: Body, values: Iterable[str]) -> bool:
    """Whether one of the values still stands in the body, in the bytes or with JSON's escapes undone."""
    text = body.render().decode(errors="replace") + json.dumps(body.json, ensure_ascii=False)
    return any(value in text for value in values)
