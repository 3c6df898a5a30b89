"""What happens before there is a call: which connections are looked into, tunnelled or refused. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from tollgate.policy import PolicyFile
from tollgate.providers import Providers
from tollgate.upstream import is_forbidden

type Decision = Literal["inspect", "tunnel", "refuse"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a connection, and why; `reason` is told to the client where it is refused."""

    decision: Decision
    why: str = ""
    reason: str = ""


def host_name(host: str) -> str:
    """A host as it is compared: lower case, no trailing dot, no brackets."""
    return host.lower().rstrip(".").strip("[]")


@lru_cache(maxsize=1024)
def is_address(host: str) -> bool:
    """True for an IP literal."""
    try:
        ipaddress.ip_address(host_name(host))
    except ValueError:
        return False
    return True


def on_connect(host: str, port: int, policy: PolicyFile, providers: Providers) -> Verdict:
    """A CONNECT, or a plain HTTP request, to this host."""
    rules = policy.connections
    if is_forbidden(host_name(host)):
        return Verdict("refuse", "metadata", f"{host} is a link-local or cloud-metadata address.")
    provider = providers.provider_of(host, port)
    if provider is not None and not provider.opaque:
        return Verdict("inspect")
    if provider is not None:
        return _by(rules.opaque_hosts, "opaque", f"{host} cannot be inspected (connections.opaque_hosts).")
    if is_address(host) and rules.ip_literals == "refuse":
        return Verdict("refuse", "ip_literal", f"{host} is a bare address (connections.ip_literals).")
    return _by(rules.other_hosts, "other_host", f"{host} is not an LLM host (connections.other_hosts).")


def _by(choice: Literal["tunnel", "refuse"], why: str, reason: str) -> Verdict:
    return Verdict(choice, why, reason if choice == "refuse" else "")


def on_tls(connect_host: str, port: int, sni: str, policy: PolicyFile, providers: Providers) -> Verdict:
    """A TLS handshake inside a CONNECT. Where either name is an LLM host's, it is looked into: a disagreement
    is then refused with an error that the client's SDK can show."""
    name = connect_host if not sni or not is_address(connect_host) else sni
    verdicts = [on_connect(h, port, policy, providers) for h in {name, sni or name}]
    return next((v for v in verdicts if v.decision != "tunnel"), verdicts[0])


def disagreement(names: dict[str, str]) -> str:
    """Why these names of one host do not agree; empty where they do. Addresses and empty names say nothing.

    `names`: where each was said ("CONNECT", "SNI", "Host") and what it was.
    """
    said = {where: host_name(name) for where, name in names.items() if name and not is_address(name)}
    if len(set(said.values())) <= 1:
        return ""
    listed = ", ".join(f"{where} says {name!r}" for where, name in said.items())
    return f"The host's names disagree: {listed}."
