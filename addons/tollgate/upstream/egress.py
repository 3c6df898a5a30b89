"""The company's own proxy on the way out."""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import dataclass, field

from yarl import URL

from tollgate.policy.schema import Upstream

_AUTHORIZATION = "Proxy-Authorization"


@dataclass(frozen=True, slots=True)
class Egress:
    """How requests leave the company: straight where `url` is None."""

    url: URL | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    """What the proxy itself is told; holds its password."""

    @property
    def name(self) -> str:
        """Which proxy it is, for a person: without a password that its URL may hold."""
        return f"{self.url.host}:{self.url.port}" if self.url else ""


def egress_of(settings: Upstream) -> Egress:
    """The egress that a policy sets. ValueError where the password's variable is not set."""
    if settings.proxy is None:
        return Egress()
    if settings.proxy_user is None:
        return Egress(URL(settings.proxy))
    user = f"{settings.proxy_user}:{_password(settings.proxy_password_env)}"
    return Egress(URL(settings.proxy), {_AUTHORIZATION: "Basic " + b64encode(user.encode()).decode()})


def _password(variable: str | None) -> str:
    if variable is None:
        return ""
    if variable not in os.environ:
        raise ValueError(f"upstream.proxy_password_env: the environment variable {variable} is not set")
    return os.environ[variable]
