"""The kinds of values a policy has besides plain ones: sizes, durations, patterns, networks, URLs."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import regex
from pydantic import AfterValidator, BeforeValidator, Field

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kmg])i?)?b?", re.IGNORECASE)
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", re.IGNORECASE)
_PROXY = re.compile(r"https?://(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?/?", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOST = re.compile(r"[\w-]+(\.[\w-]+)*|[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*", re.IGNORECASE)
_BYTES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_size(value: Any) -> Any:
    """ "32 MB" as bytes (1 MB is 1024 * 1024); what is no text stays."""
    if not isinstance(value, str):
        return value
    if not (match := _SIZE.fullmatch(value.strip())):
        raise ValueError("a size is a number of bytes, or has a unit: 512 KB, 32 MB, 1 GB")
    return int(float(match[1]) * _BYTES[(match[2] or "").lower()])


def show_size(size: int) -> str:
    """Bytes in the largest unit that divides them: "32 MB"."""
    unit = next((unit for unit in ("g", "m", "k") if size and size % _BYTES[unit] == 0), "")
    return f"{size // _BYTES[unit]} {unit.upper()}B" if unit else str(size)


def parse_duration(value: Any) -> Any:
    """ "10 s" as seconds; what is no text stays."""
    if not isinstance(value, str):
        return value
    if not (match := _TIME.fullmatch(value.strip())):
        raise ValueError("a duration is a number of seconds, or has a unit: 500 ms, 10 s, 5 m, 2 h, 1 d")
    return float(match[1]) * _SECONDS[(match[2] or "s").lower()]


def show_duration(seconds: float) -> str:
    """Seconds in the largest unit that divides them: "10 m"."""
    unit = next((unit for unit in ("d", "h", "m") if seconds % _SECONDS[unit] == 0), "s")
    return f"{seconds / _SECONDS[unit]:.3f}".rstrip("0").rstrip(".") + f" {unit}"


def parse_list(value: Any) -> Any:
    """One pattern, or a list of them, as a list. ValueError for anything else."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise ValueError("a pattern is text, or a list of texts; put a number in quotes")
    return value


def parse_network(pattern: str) -> Network | None:
    """An address or a network such as 10.0.0.0/8; None for a name or a glob. ValueError for a bad network."""
    try:
        return ipaddress.ip_network(pattern)
    except ValueError as e:
        if "/" in pattern:
            raise ValueError(f"{e}; a network is written like 10.0.0.0/8 or fd00::/8") from e
        return None


def check_networks(patterns: list[str]) -> list[str]:
    for pattern in patterns:
        parse_network(pattern.removeprefix("!"))
    return patterns


def check_proxy(url: str) -> str:
    """A proxy's address. Its ValueError does not repeat what stands there: it may hold a password."""
    if "@" in url:
        raise ValueError("no user or password here: use proxy_user and proxy_password_env")
    if not _PROXY.fullmatch(url):
        raise ValueError("a proxy is written like http://proxy.corp.example:3128")
    return url


def check_regex(pattern: str) -> str:
    try:
        regex.compile(pattern)
    except regex.error as e:
        raise ValueError(f"this is no regular expression: {e}") from e
    return pattern


def check_variable(name: str) -> str:
    """An environment variable's name. Its ValueError does not repeat what stands there: it may be the secret
    itself."""
    if not _VARIABLE.fullmatch(name):
        raise ValueError(
            "this is the name of an environment variable, such as TOLLGATE_SECRET, and not its value"
        )
    return name


def check_host(name: str) -> str:
    """A host's name or address as it is compared: in lower case."""
    if not _HOST.fullmatch(name):
        raise ValueError(f'"{name}" is no host name: no scheme, no port, no path, no glob')
    return name.lower()


type Size = Annotated[
    int,
    Field(ge=0),
    BeforeValidator(parse_size, json_schema_input_type=Annotated[int, Field(ge=0)] | str),
    Field(description="Bytes, or a number with a unit: 512 KB, 32 MB, 1 GB. 1 KB is 1024 bytes."),
]
type Duration = Annotated[
    float,
    Field(gt=0, allow_inf_nan=False),
    BeforeValidator(parse_duration, json_schema_input_type=Annotated[float, Field(gt=0)] | str),
    Field(description="Seconds, or a number with a unit: 500 ms, 10 s, 5 m, 2 h, 1 d."),
]
type Patterns = Annotated[
    list[str],
    Field(min_length=1),
    BeforeValidator(parse_list, json_schema_input_type=str | Annotated[list[str], Field(min_length=1)]),
    Field(description='A glob, or a list of them; "!" before one says that it must not match.'),
]
type Clients = Annotated[
    Patterns,
    AfterValidator(check_networks),
    Field(description='An address, glob or network, or a list of them; "!" says that it must not match.'),
]
type HostName = Annotated[str, AfterValidator(check_host)]
type Port = Annotated[int, Field(ge=1, le=65535)]
type File = Annotated[Path, Field(strict=False)]
type Regex = Annotated[str, AfterValidator(check_regex)]
type Variable = Annotated[str, AfterValidator(check_variable)]
type ProxyUrl = Annotated[str, AfterValidator(check_proxy)]
type PassOrRefuse = Literal["refuse", "pass"]
type TunnelOrRefuse = Literal["tunnel", "refuse"]
