"""Who is calling, as far as a request says. Pure: no secret leaves here but as a keyed digest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from tollgate.access.tools import tool_of
from tollgate.calls import Headers, Identity
from tollgate.calls.credentials import KEY_HEADERS
from tollgate.store import Digester

_KEY_IN_QUERY = re.compile(r"(?:^|&)(?:key|api[-_]key|access_token)=([^&]+)")
_ACCESS_KEY_ID = re.compile(r"Credential=([^/%,\s]+)")
_OAUTH = ("sk-ant-oat", "eyJ", "gho_", "ghu_", "ya29.")
"""How tokens of a login begin, as against keys: Claude, JSON Web Tokens, GitHub, Google."""
_OTHER_KEYS = ("ocp-apim-subscription-key", "cf-aig-authorization", "cookie")
"""Headers by which callers are told apart that show nothing else. A cookie is the last: some send one
beside a key."""
_NONE = "", ""
_LONGEST = 128


def identify(
    headers: Headers,
    target_query: str,
    address: str,
    proxy_user: str,
    digester: Digester,
    session_headers: Iterable[str],
    project_headers: Iterable[str],
) -> Identity:
    """Who is calling. `proxy_user` is empty where the proxy asks for none, `target_query` has no "?"."""
    kind, secret = _credential(headers, target_query)
    return Identity(
        user=_clean(proxy_user) or address,
        address=address,
        authenticated=bool(proxy_user),
        credential=digester.digest("credential", secret.encode("utf-8", "surrogatepass")) if secret else "",
        credential_kind=kind,
        tool=tool_of(headers.get("user-agent", "")),
        session=_first(headers, session_headers),
        project=_first(headers, project_headers),
    )


def _credential(headers: Headers, query: str) -> tuple[str, str]:
    """The first credential of a request as (kind, secret); two empty strings where there is none.

    The kind is no part of the fingerprint: SDKs move the same key from one header to another.
    """
    places = (
        lambda: _in_authorization(headers.get("authorization", "")),
        lambda: _in_headers(headers, KEY_HEADERS),
        lambda: _in_query(query) if query else _NONE,
        lambda: _in_headers(headers, _OTHER_KEYS),
    )
    return next((found for look in places if (found := look())[1]), _NONE)


def _in_headers(headers: Headers, names: Iterable[str]) -> tuple[str, str]:
    return next(((name, secret) for name in names if (secret := headers.get(name, "").strip())), _NONE)


def _in_authorization(value: str) -> tuple[str, str]:
    scheme, _, rest = value.strip().partition(" ")
    secret = rest.strip()
    match scheme.lower():
        case "bearer" | "token":
            return ("oauth" if secret.startswith(_OAUTH) else "bearer"), secret
        case "basic":
            return "basic", secret
        case "aws4-hmac-sha256" | "aws4-ecdsa-p256-sha256":
            return "sigv4", _access_key_id(secret)
        case _:
            return "authorization", value.strip()


def _in_query(query: str) -> tuple[str, str]:
    if found := _KEY_IN_QUERY.search(query):
        return "query", unquote(found[1])
    if key_id := _access_key_id(query):
        return "sigv4", key_id
    return "", ""


def _access_key_id(text: str) -> str:
    """Whose key made a SigV4 signature: it stays the same while every signature differs."""
    found = _ACCESS_KEY_ID.search(text)
    return found[1] if found else ""


def _first(headers: Headers, names: Iterable[str]) -> str:
    return next((text for name in names if (text := _clean(headers.get(name, "")))), "")


def _clean(text: str) -> str:
    """What a client says of itself, fit for a record and a terminal: short, no control characters."""
    return text[:_LONGEST] if text.isprintable() else "".join(filter(str.isprintable, text[:_LONGEST]))
