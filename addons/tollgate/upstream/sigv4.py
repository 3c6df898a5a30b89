"""AWS Signature Version 4 for requests whose body is at hand. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, unquote

import orjson

ALGORITHM = "AWS4-HMAC-SHA256"
_SPACES = re.compile(r" +")
_REGION = re.compile(r"(?:^|\.)((?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-[a-z]+)+-\d)(?:\.|$)")
_SERVICES = (("bedrock-mantle", "bedrock-mantle"), ("aws-external-anthropic", "aws-external-anthropic"))
"""Hosts that begin so, and the service their signatures name; all others are Bedrock's."""


@dataclass(frozen=True, slots=True)
class AwsKey:
    """AWS credentials."""

    id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def parse_key(text: str) -> AwsKey:
    """Credentials as ID:SECRET, ID:SECRET:TOKEN, or what a `credential_process` prints. ValueError, which
    never repeats the text, for anything else.
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html"""
    if text.startswith("{"):
        try:
            told = orjson.loads(text)
            return AwsKey(told["AccessKeyId"], told["SecretAccessKey"], told.get("SessionToken") or "")
        except (orjson.JSONDecodeError, KeyError) as e:
            raise ValueError("no AWS credentials: AccessKeyId and SecretAccessKey are expected") from e
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(parts):
        raise ValueError("no AWS credentials: ID:SECRET or ID:SECRET:TOKEN is expected")
    return AwsKey(*parts)


def scope_of(host: str) -> tuple[str, str]:
    """The region and the service that a host's signatures name. ValueError for a host without a region."""
    found = _REGION.search(host.lower())
    if not found:
        raise ValueError(f"{host} names no AWS region")
    return found[1], next((service for start, service in _SERVICES if host.startswith(start)), "bedrock")


def sign(
    key: AwsKey,
    scope: tuple[str, str],
    when: datetime,
    *,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
) -> dict[str, str]:
    """The headers that sign a request: its method, target (as sent, percent-encoded), body, and these
    headers, among which Host has to be. `when` is in UTC."""
    stamp = when.strftime("%Y%m%dT%H%M%SZ")
    added = {"X-Amz-Date": stamp, **({"X-Amz-Security-Token": key.token} if key.token else {})}
    signed = _canonical_headers([*headers, *added.items()])
    names = ";".join(signed)
    request = "\n".join(
        (
            method,
            *_canonical_target(target),
            *(f"{name}:{value}" for name, value in signed.items()),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    where = "/".join((stamp[:8], *scope, "aws4_request"))
    digest = hashlib.sha256(request.encode()).hexdigest()
    signature = _mac(_signing_key(key.secret, where), "\n".join((ALGORITHM, stamp, where, digest))).hex()
    credential = f"Credential={key.id}/{where}, SignedHeaders={names}, Signature={signature}"
    return {**added, "Authorization": f"{ALGORITHM} {credential}"}


def _canonical_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.lower(), []).append(_SPACES.sub(" ", value.strip()))
    return {name: ",".join(found[name]) for name in sorted(found)}


def _canonical_target(target: str) -> tuple[str, str]:
    """The path, encoded once more (only S3 is signed as sent), and the sorted query."""
    path, _, query = target.partition("?")
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    plain = sorted((_encoded(name), _encoded(value)) for name, _, value in pairs)
    return quote(path or "/", safe="/-_.~"), "&".join(f"{name}={value}" for name, value in plain)


def _encoded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")


def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    return key


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
