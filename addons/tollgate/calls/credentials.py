"""Where credentials travel in a request, by name."""

from __future__ import annotations

import re
from urllib.parse import unquote

from multidict import CIMultiDict

from tollgate.calls.answer import Headers

KEY_HEADERS = (
    *("x-api-key", "api-key", "x-goog-api-key"),
    "ocp-apim-subscription-key",  # https://learn.microsoft.com/azure/api-management/api-management-subscriptions
    "x-litellm-api-key",  # https://docs.litellm.ai/docs/proxy/virtual_keys
    "x-portkey-api-key",  # https://portkey.ai/docs/api-reference/inference-api/headers
)
"""Headers that hold nothing but a key."""

SECRET_HEADERS = frozenset(
    (
        "authorization",
        "proxy-authorization",
        *KEY_HEADERS,
        "cookie",
        "set-cookie",
        "x-amz-security-token",  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
        "cf-aig-authorization",  # https://developers.cloudflare.com/ai-gateway/configuration/authentication/
        "helicone-auth",  # https://docs.helicone.ai/helicone-headers/header-directory
        "x-portkey-virtual-key",
        *("x-portkey-aws-access-key-id", "x-portkey-aws-secret-access-key", "x-portkey-aws-session-token"),
        "statsig-api-key",  # Codex, to chatgpt.com
    )
)
"""Headers, in lower case, whose values are credentials and are never shown, logged or kept."""

ACCOUNT_HEADERS = frozenset(
    (
        "openai-organization",  # https://platform.openai.com/docs/api-reference/authentication
        "openai-project",
        "chatgpt-account-id",  # Codex with a ChatGPT login
        "x-goog-user-project",  # https://cloud.google.com/apis/docs/system-parameters
        "x-amz-date",
        "x-amz-content-sha256",
    )
)
"""Headers, in lower case, that belong to a credential, and go with it."""

SECRET_PARAMETERS = frozenset(
    (
        *("key", "api_key", "api-key", "access_token"),
        *("x-amz-credential", "x-amz-signature", "x-amz-security-token"),
    )
)
"""Query parameters, in lower case, whose values are credentials."""


def without_credentials(headers: Headers, target: str) -> tuple[Headers, str]:
    """Headers and target (path and query) without any credential, and without what belongs to one."""
    dropped = SECRET_HEADERS | ACCOUNT_HEADERS
    kept: Headers = CIMultiDict((name, text) for name, text in headers.items() if name.lower() not in dropped)
    path, mark, query = target.partition("?")
    if not mark:
        return kept, target
    pairs = [pair for pair in query.split("&") if _name(pair) not in SECRET_PARAMETERS]
    return kept, "?".join(filter(None, (path, "&".join(pairs))))


_LIKE_ONE = re.compile(
    r"api-?key|(?:^|[-_.])"
    r"(?:key|token|auth|authorization|authentication|secret|password|signature|sig|credentials?)(?:$|[-_.])",
    re.IGNORECASE,
)
_NO_CREDENTIALS = frozenset(("idempotency-key", "x-idempotency-key", "page_token", "page-token"))


def without_likely_credentials(headers: Headers, target: str) -> tuple[Headers, str]:
    """Headers and target without anything that is named as credentials are. Gateways and companies have
    credentials of their own; what goes to somebody else takes none of them along."""
    headers, target = without_credentials(headers, target)
    kept: Headers = CIMultiDict((name, text) for name, text in headers.items() if not _is_like_one(name))
    path, _, query = target.partition("?")
    pairs = [pair for pair in query.split("&") if not _is_like_one(_name(pair))]
    return kept, "?".join(filter(None, (path, "&".join(pairs))))


def _is_like_one(name: str) -> bool:
    return _LIKE_ONE.search(name) is not None and name.lower() not in _NO_CREDENTIALS


def _name(pair: str) -> str:
    return unquote(pair.partition("=")[0]).lower()
