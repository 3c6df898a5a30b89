"""Where credentials travel in a request, by name."""

from __future__ import annotations

KEY_HEADERS = ("x-api-key", "api-key", "x-goog-api-key")
"""Headers that hold nothing but a key."""

SECRET_HEADERS = frozenset(
    (
        "authorization",
        "proxy-authorization",
        *KEY_HEADERS,
        "cookie",
        "set-cookie",
        "x-amz-security-token",  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
        "ocp-apim-subscription-key",  # https://learn.microsoft.com/azure/api-management/api-management-subscriptions
        "cf-aig-authorization",  # https://developers.cloudflare.com/ai-gateway/configuration/authentication/
        "statsig-api-key",  # Codex, to chatgpt.com
    )
)
"""Headers, in lower case, whose values are credentials and are never shown, logged or kept."""

SECRET_PARAMETERS = frozenset(
    (
        *("key", "api_key", "api-key", "access_token"),
        *("x-amz-credential", "x-amz-signature", "x-amz-security-token"),
    )
)
"""Query parameters, in lower case, whose values are credentials."""
