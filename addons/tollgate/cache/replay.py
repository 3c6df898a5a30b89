"""From a kept entry to the answer of a call: whole or streamed, as it was asked for, with new ids. Pure."""

from __future__ import annotations

import asyncio
import re
import secrets
import string
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial

import orjson
from multidict import CIMultiDict

from tollgate.cache.entry import Entry
from tollgate.cache.forms import FORMS, Form, FormError
from tollgate.cache.keeping import REQUEST_IDS, UNLIKE
from tollgate.calls import Answer, Call, End, Event, Headers
from tollgate.dialects import FRAMINGS

CACHE = "x-tollgate-cache"
_LETTERS = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
_HEX = re.compile(r"[0-9a-f-]+")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_DEEPEST = 2
"""In how many objects a field of an answer stands at most: {"response": {"created_at": …}}."""

type Change = Callable[[bytes], bytes]


def fits(call: Call, entry: Entry, now: float, max_age: float | None = None) -> bool:
    """True where an entry may be given to a call: no older than asked for, and with no stand-in for a value
    that the call itself does not have."""
    if max_age is not None and now - entry.created > max_age:
        return False
    if not entry.tokens:
        return True
    asked = call.request.body.render().lower()
    return all(token.encode() in asked for token in entry.tokens)


def fresh(entry: Entry, now: float, ttl: float) -> bool:
    """True where an entry is given without a question; `ttl` is that of the call that asks."""
    return 0 <= now - entry.created <= min(ttl, entry.ttl)


def replay(call: Call, entry: Entry, now: float) -> Answer | None:
    """The answer; None where the entry cannot be brought into the form that the call asks for."""
    change = renewal(entry, FORMS.get(entry.dialect), now)
    try:
        if call.stream:
            return _streamed(call, entry, change, now)
        headers = _headers(entry, "application/json", now)
        return Answer(entry.status, headers, change(_whole(entry)), source="cache")
    except UNLIKE:
        return None


def _streamed(call: Call, entry: Entry, change: Change, now: float) -> Answer:
    framing = call.dialect.expected_framing(call.params)
    original = call.policy.cache.pace == "original" and _is_as_asked(call, entry)
    pauses = [piece.after / 1000 for piece in entry.pieces] if original else []
    headers = _headers(entry, FRAMINGS[framing].content_type, now)
    events = paced(_events(call, entry, change), pauses)
    return Answer(entry.status, headers, events=events, framing=framing, source="cache")


def _events(call: Call, entry: Entry, change: Change) -> list[Event]:
    if _is_as_asked(call, entry):
        events = entry.events()
    else:
        events = FORMS[entry.dialect].unfold(orjson.loads(_whole(entry)), call.request.body.json)
    return [event.with_data(_on_one_line(change(event.data or b""))) for event in events]


def _is_as_asked(call: Call, entry: Entry) -> bool:
    """True for a stream that is kept as the call wants it."""
    return entry.streamed and entry.form == FORMS[entry.dialect].options(call.request.body.json)


def _on_one_line(data: bytes) -> bytes:
    """Gemini indents the items of its arrays, and many clients read events line by line."""
    return b"".join(data.splitlines()) if data.startswith(b"{") and b"\n" in data else data


def _whole(entry: Entry) -> bytes:
    if not entry.streamed:
        return entry.body
    form = FORMS[entry.dialect]
    whole = form.fold(entry.events())
    if form.usage is not None and "usage" not in whole:
        used = entry.used()
        if used is None:
            raise FormError("an answer that does not say what it used")
        whole["usage"] = form.usage(used)
    return orjson.dumps(whole)


async def paced(events: Sequence[Event], pauses: Sequence[float]) -> AsyncGenerator[Sequence[Event]]:
    """The events in one batch, or each at its second after the head."""
    if not pauses:
        yield [*events, End()]
        return
    began = asyncio.get_running_loop().time()
    for event, after in zip(events, pauses, strict=True):
        if (wait := began + after - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(wait)
        yield [event]
    yield [End()]


def render(call: Call, entry: Entry, now: float) -> Answer | None:
    """The same as `replay`, but a stream is written out: for a call whose head says that it is whole."""
    change = renewal(entry, FORMS.get(entry.dialect), now)
    answer = replay(call, entry, now)
    if answer is None or not answer.streamed:
        return answer
    encode = FRAMINGS[answer.framing].encoder().encode
    answer.body = b"".join(map(encode, _events(call, entry, change))) + encode(End())
    answer.events, answer.framing = None, ""
    return answer


# -- what is new in each answer ----------------------------------------------------------------------------


def renewal(entry: Entry, form: Form | None, now: float) -> Change:
    """Puts new ids and times in the places of those that were kept."""
    new_ids = {b'"%b"' % old.encode(): b'"%b"' % new_id(old).encode() for old in entry.ids}
    fields: list[tuple[re.Pattern[bytes], Change]] = []
    if form and new_ids:
        fields.append((_ids(form.ids), lambda old: new_ids.get(old, old)))
    for name, kind in (form.times if form else {}).items():
        fields.append((_TIME[kind](name), partial(_instead, _now(kind, now))))

    def change(data: bytes) -> bytes:
        for pattern, new in fields:
            data = _changed(data, pattern, new)
        return data

    return change


def _instead(new: bytes, old: bytes) -> bytes:
    return new


def _changed(data: bytes, pattern: re.Pattern[bytes], new: Change) -> bytes:
    """With new values of that field of the answer, or of what holds it. What lies deeper is what the model
    said, as a tool's input, whose fields may have any name."""
    done = depth = 0

    def one(found: re.Match[bytes]) -> bytes:
        nonlocal done, depth
        above, done = _STRING.sub(b"", data[done : found.start()]), found.start()
        depth += above.count(b"{") + above.count(b"[") - above.count(b"}") - above.count(b"]")
        return found[1] + new(found[2]) if depth <= _DEEPEST else found[0]

    return pattern.sub(one, data)


@cache
def _ids(paths: tuple[str, ...]) -> re.Pattern[bytes]:
    """Ids where they are named so: those of some servers are as short as a word, which an answer may say."""
    names = "|".join(re.escape(path.rpartition(".")[2]) for path in paths)
    return re.compile(rf'("(?:{names})":\s*)("[^"\\]*")'.encode())


def _seconds(name: str) -> re.Pattern[bytes]:
    return re.compile(rb'("%b":\s*)(\d+)' % name.encode())


def _rfc3339(name: str) -> re.Pattern[bytes]:
    return re.compile(rb'("%b":\s*)("\d{4}-[^"\\]*")' % name.encode())


_TIME: Mapping[str, Callable[[str], re.Pattern[bytes]]] = {"seconds": _seconds, "rfc3339": _rfc3339}


def _now(kind: str, now: float) -> bytes:
    if kind == "seconds":
        return b"%d" % now
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return b'"%b"' % moment.encode()


def new_id(old: str) -> str:
    """An id that looks like another one: the same prefix, length and alphabet."""
    head, mark, rest = _split(old)
    if _HEX.fullmatch(rest):
        return head + mark + "".join(c if c == "-" else secrets.choice("0123456789abcdef") for c in rest)
    return head + mark + "".join(_like(c) for c in rest)


def _split(id: str) -> tuple[str, str, str]:
    for mark in "_-":
        head, found, rest = id.partition(mark)
        if found and head.isalpha() and not _HEX.fullmatch(head):
            return head, found, rest
    return "", "", id


def _like(letter: str) -> str:
    return next((secrets.choice(letters) for letters in _LETTERS if letter in letters), letter)


def _headers(entry: Entry, content_type: str, now: float) -> Headers:
    headers: Headers = CIMultiDict()
    for name, value in entry.headers:
        if name.lower() == "content-type":
            continue
        headers.add(name, new_id(value) if name.lower() in REQUEST_IDS else value)
    kept = next((value for name, value in entry.headers if name.lower() == "content-type"), "")
    same = kept.partition(";")[0].strip() == content_type
    headers["content-type"] = kept if same else content_type
    headers[CACHE] = "hit"
    headers["age"] = str(max(0, int(now - entry.created)))
    return headers
