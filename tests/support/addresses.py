"""Sentences, code and logs with IP addresses and social security numbers, and with what looks like them.

Rows are as `scripts/eval` reads them: a text, and the spans in it.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable, Iterator
from typing import Any

_IP = (
    "The host {} does not answer.",
    "ssh admin@{} -p 2222",
    "curl http://{}:8080/health | jq .",
    '{{"client": "{}", "status": 200}}',
    "[2026-11-22 14:01:09] WARN refused connection from {}, port 51234",
    '{} - - [22/Nov/2026:14:01:09 +0000] "GET / HTTP/1.1" 200 512',
    "ALLOWED = ['{}']  # the office",
    "inet {}/24 brd scope global eth0",
    "Mon serveur est à l'adresse {}.",
    "ip={};proto=tcp",
    "PING {} 56(84) bytes of data.",
    "please block {} and tell me (why)",
    "| web-1 | {} | up |",
    "listen {}\nworkers 4",
)
_IP6 = (
    "The host {} does not answer.",
    '{{"client": "{}", "status": 200}}',
    "curl 'http://[{}]:8080/health'",
    "inet6 {}/64 scope link",
    "| web-1 | {} | up |",
    "AAAA {}",
    "connection from {} was refused",
)
_SSN = (
    "My social security number is {}.",
    "SSN: {}",
    '{{"ssn": "{}", "name": "Ann"}}',
    "Her SSN ({}) is wrong in the form",
    "name,ssn\nAnn,{}",
    "employee.ssn = '{}'",
    "the patient, social security {}, was seen today",
    "Can you check {} against the SSN list?",
    "INSERT INTO staff (ssn) VALUES ('{}');",
    "| Ann | {} | active |",
)
_LOOKALIKES = (
    "Python 3.13.0 and mitmproxy 12.2.3 are installed",
    "numpy==2.4.1.post1, torch>=2.9.0.1,<3",
    "OID 1.3.6.1.4.1.311.21.20 names it",
    "the release of 2026-11-22, before 22.11.2026",
    "call 212-555-0142 or 415-555-2671",
    "part 123-456-78 and 12-345-6789 of the list",
    "chapter 1.2.3, section 4.5.6.7.8",
    "zip 12345-6789, order 123-45-678",
    "took 12:34:56, at 10:20:30:40",
    "range 10-20-3000, score 256.300.1.2",
    "commit a1b2:c3d4 and 550e8400-e29b-41d4-a716-446655440000",
    "std::vector<int> and a::b in C++",
    "ISBN 978-3-16-148410-0, EAN 4006381333931",
    "ratio 3.14.15, 1.000.000 euros",
    "SSN 000-12-3456 and 666-12-3456 and 912-12-3456 do not exist",
)


def _ip(chance: random.Random) -> str:
    return str(ipaddress.IPv4Address(chance.randrange(0x0B000000, 0xDF000000)))


def _ip6(chance: random.Random) -> str:
    address = ipaddress.IPv6Address(0x2A00 << 112 | chance.getrandbits(100))
    return address.exploded if chance.random() < 0.3 else address.compressed


def _ssn(chance: random.Random) -> str:
    area = chance.choice([n for n in range(100, 899) if n != 666])
    separator = chance.choice("--- ")
    return separator.join((f"{area}", f"{chance.randrange(10, 99)}", f"{chance.randrange(1000, 9999)}"))


_KINDS: tuple[tuple[str, tuple[str, ...], Callable[[random.Random], str]], ...] = (
    ("IP_ADDRESS", _IP, _ip),
    ("IP_ADDRESS", _IP6, _ip6),
    ("US_SSN", _SSN, _ssn),
)


def rows(seed: int = 7) -> Iterator[dict[str, Any]]:
    """Some 200 rows; the same for the same seed."""
    chance = random.Random(seed)
    for kind, templates, make in _KINDS:
        for template in templates * 6:
            value = make(chance)
            before, after = template.format("\0").split("\0")
            span = {"start": len(before), "end": len(before) + len(value), "type": kind}
            yield {"text": before + value + after, "spans": [span]}
    for text in _LOOKALIKES:
        yield {"text": text, "spans": []}
