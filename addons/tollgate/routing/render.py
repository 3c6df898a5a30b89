"""A call as one target is to have it: host, path, headers, model, parameters, dialect. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote

import orjson
from multidict import CIMultiDict

from tollgate.calls import CLIENT, Body, Call, Headers, Leg, Refused, Request
from tollgate.calls.credentials import without_credentials, without_likely_credentials
from tollgate.calls.members import Changes, changed
from tollgate.dialects import dialect
from tollgate.dialects.base import Dialect
from tollgate.policy.routing import HeaderChanges, Parameters, Route
from tollgate.providers.places import path_of
from tollgate.routing import translation
from tollgate.routing.parameters import at, changes_of, put
from tollgate.routing.spec import Spec

_LAST_WORD = re.compile(r"[:/]([\w-]+)$")
_NO_FIT = "no_target"
NOTE = "routing"
"""Where a call carries the way back of its last translation."""


def render(spec: Spec, route: Route, call: Call) -> Leg:
    """The call as the target is to have it. Refused where that cannot be."""
    model, spoken = spec.model_for(call, route), spec.dialect_for(call)
    if spoken == call.dialect.name:
        leg = _as_it_speaks(spec, route, call, model)
    else:
        leg = _translated(spec, route, call, model, dialect(spoken))
    if CLIENT not in spec.credentials(call):
        request = leg.request
        request.headers, request.target = without_likely_credentials(request.headers, request.target)
    _change_headers(leg.request.headers, route.headers, spec.settings.headers)
    return _without_foreign_keys(spec, call, leg)


# -- the client's own dialect ----------------------------------------------------------------------------


def _as_it_speaks(spec: Spec, route: Route, call: Call, model: str) -> Leg:
    origin = call.request
    body = _body(call, [route.parameters, spec.settings.parameters], model)
    target = _target(spec, call, model)
    request = replace(origin, target=target, headers=origin.headers.copy(), body=body)
    _place(request, spec)
    params = {**call.params, "model": model} if call.params.get("model") else call.params
    return Leg(request, call.dialect, params, losses=_without_foreign_seals(request, call))


def _without_foreign_seals(request: Request, call: Call) -> tuple[str, ...]:
    """What was lost by taking out the thoughts of providers that answered in translation. `request` is our
    own."""
    content = request.body.render()
    if not (call.request.body.parsed and translation.carries(content)):
        return ()
    kept = translation.without_foreign(call.dialect.name, orjson.loads(content))
    if kept is None:
        return ()
    member, turns = kept
    request.body = _new_body(_edited(call, content, {member: orjson.dumps(turns)}))
    return (f"thoughts of another provider ({member})",)


def _body(call: Call, parameters: Iterable[Parameters], model: str) -> Body:
    """The request's body with the policy's model and parameters; itself where that changes nothing."""
    body = call.request.body
    content = body.render()
    before = content
    if model != call.model and not call.params.get("model"):
        content = _edited(call, content, _naming(call, model))
    for wanted in parameters:
        if not wanted.idle and (changes := changes_of(wanted, _json(call, content))):
            content = _edited(call, content, changes)
    return body if content is before else _new_body(content)


def _naming(call: Call, model: str) -> Changes:
    """The change that names another model, where the dialect has it in the body."""
    tree = call.request.body.json
    path = next((path for path in call.dialect.asked if at(tree, path) == call.model), "")
    if not path:
        raise Refused(
            f"The model of this request cannot be changed to {model}: its body does not name it as Tollgate"
            " can read it. Send this operation elsewhere by a rule of its own (when: operation).",
            code="model_not_changeable",
        )
    changes: dict[str, Any] = {}
    put(changes, path, orjson.dumps(model))
    return changes


def _edited(call: Call, content: bytes, changes: Changes) -> bytes:
    try:
        return changed(content, changes)
    except ValueError as e:
        raise _unreadable(call) from e


def _json(call: Call, content: bytes) -> Any:
    body = call.request.body
    if not body.parsed:
        raise _unreadable(call)
    return body.json if content is body.render() else orjson.loads(content)


def _unreadable(call: Call) -> Refused:
    return Refused(
        f"The policy changes parameters of calls to {call.request.host}, but this body is no JSON that can be"
        " changed. Leave such operations out by a rule of their own (when: operation).",
        code="body_not_changeable",
    )


def _new_body(content: bytes) -> Body:
    body = Body(content)
    body.replace(content)  # what belonged to the old bytes, such as digests, goes
    return body


# -- another dialect --------------------------------------------------------------------------------------


def _translated(spec: Spec, route: Route, call: Call, model: str, spoken: Dialect) -> Leg:
    content = _body(call, [route.parameters], call.model).render()
    try:
        told = translation.request(
            call.dialect.name,
            spoken.name,
            path=call.request.path,
            params=call.params,
            headers=call.request.headers,
            body=_json(call, content),
            model=model,
            stream=call.stream,
        )
    except translation.Untranslatable as e:
        raise Refused(f"{spec.name} speaks {spoken.name}: {e}", code="untranslatable") from e
    losses = tuple(_name(loss) for loss in told.losses)
    grave = [_name(loss) for loss in told.losses if not loss.hint]
    if grave and route.on_loss == "error":
        raise Refused(
            f"{spec.name} speaks {spoken.name}, which cannot express all of this request:"
            f" {'; '.join(grave)}. Leave it out, or set route.on_loss to warn.",
            code="lost_in_translation",
        )
    params = {"model": model, "verb": _verb(told.path), "alt": "sse" if "alt=sse" in told.query else ""}
    path = spec.settings.path or _path(spec, call, spoken.name, params)
    target = "?".join(filter(None, (_fill(path, params), told.query)))
    changes = changes_of(spec.settings.parameters, orjson.loads(told.body))
    body = _new_body(changed(told.body, changes) if changes else told.body)
    headers: Headers = CIMultiDict(told.headers)
    request = replace(call.request, method=told.method, target=target, headers=headers, body=body)
    _place(request, spec)
    call.notes[NOTE] = back = Back(told.session)
    return Leg(request, spoken, params, back, losses)


@dataclass(slots=True)
class Back:
    """A translation's session as the way back."""

    session: translation.Session
    _lost: list[translation.Loss] = field(default_factory=list)

    def answer(self, status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
        status, told, body, self._lost = self.session.answer(status, headers, body)
        return status, CIMultiDict(told), body

    def events(self, headers: Headers) -> translation.EventTranslator:
        translator = self.session.events(headers)
        self._lost = translator.losses
        return translator

    @property
    def losses(self) -> list[str]:
        """What of the answer so far the client's dialect cannot express; never values."""
        return [_name(loss) for loss in self._lost]


def _name(loss: translation.Loss) -> str:
    return f"{loss.what} ({loss.where})" if loss.where and loss.where != loss.what else loss.what


def _verb(path: str) -> str:
    return found[1] if (found := _LAST_WORD.search(path)) else ""


# -- place -------------------------------------------------------------------------------------------------


def _place(request: Request, spec: Spec) -> None:
    """Send it to the target's host. `request` and its headers are our own."""
    if not spec.host:
        return
    settings = spec.settings
    usual = 443 if settings.scheme == "https" else 80
    request.scheme, request.host, request.port = settings.scheme, spec.host, settings.port or usual
    request.headers["Host"] = spec.host if request.port == usual else f"{spec.host}:{request.port}"


def _target(spec: Spec, call: Call, model: str) -> str:
    """Path and query at the target, for a call in the client's dialect."""
    path, mark, query = call.request.target.partition("?")
    params = {**call.params, "model": model} if model else dict(call.params)
    if spec.settings.path:
        path = _fill(spec.settings.path, params)
    elif spec.provider_for(call) != call.provider:
        path = _path(spec, call, call.dialect.name, params)
    elif model != call.model and call.params.get("model"):
        path = _renamed(path, call.model, model)
    return f"{path}{mark}{query}"


def _path(spec: Spec, call: Call, spoken: str, params: Mapping[str, str]) -> str:
    """The provider's path for what the call asks."""
    assert spec.provider is not None, "only a provider's own path is looked up"
    operations = ("chat", "responses") if call.operation in ("chat", "responses") else (call.operation,)
    found = (path_of(spec.provider, spoken, operation, params) for operation in operations)
    if path := next(filter(None, found), None):
        return path
    raise Refused(
        f"No path for {call.operation} in {spoken} is known at {spec.name}: set targets.{spec.name}.path.",
        code=_NO_FIT,
    )


def _fill(path: str, params: Mapping[str, str]) -> str:
    values = {name: quote(params.get(name, ""), safe="") for name in ("model", "verb")}
    return path.format(**values) if "{" in path else path


def _renamed(path: str, old: str, new: str) -> str:
    """A path that names another model in the old one's place."""

    def piece(text: str) -> str:
        name, colon, verb = text.rpartition(":") if unquote(text) != old else (text, "", "")
        return f"{quote(new, safe='')}{colon}{verb}" if unquote(name) == old else text

    return "/".join(map(piece, path.split("/")))


def _change_headers(headers: Headers, *changes: HeaderChanges) -> None:
    for change in changes:
        for name in change.remove:
            headers.popall(name, None)
        headers.update(change.set)


# -- keys --------------------------------------------------------------------------------------------------


def _without_foreign_keys(spec: Spec, call: Call, leg: Leg) -> Leg:
    """The client's key goes where the client sent it, or where the policy says so, and nowhere else."""
    names, request = spec.credentials(call), leg.request
    if CLIENT not in names:
        request.headers, request.target = without_credentials(request.headers, request.target)
        return leg
    if spec.provider_for(call) != call.provider:
        raise Refused(
            f"{spec.name} is at {spec.provider_for(call)}, where the client's key for {call.provider} has no"
            f" business: set targets.{spec.name}.credential to one of the policy's own.",
            code="foreign_key",
        )
    if call.identity.credential_kind == "sigv4" and len(names) == 1 and _differs(request, call.request):
        raise Refused(
            f"This request to {call.request.host} is signed (AWS Signature Version 4), and the policy changes"
            " it on its way, which breaks the signature. Give the target AWS credentials of the policy's own"
            " (credentials, kind: sigv4), with which it is signed anew.",
            code="signed_request_changed",
        )
    return leg


def _differs(request: Request, origin: Request) -> bool:
    return request.body is not origin.body or any(
        getattr(request, name) != getattr(origin, name)
        for name in ("scheme", "host", "port", "target", "headers")
    )
