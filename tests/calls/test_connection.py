"""What was not looked into, and what the proxy says of itself."""

import time

from tollgate.calls import Connection, Notice


def test_sightings_and_notices_know_when_they_were_made() -> None:
    before = time.time()

    assert Connection("tunnelled", "example.com", 443, "127.0.0.1").time >= before
    assert Notice("policy_invalid", "line 3").time >= before
