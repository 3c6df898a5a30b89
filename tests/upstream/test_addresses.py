from __future__ import annotations

import pytest

from tollgate.upstream.addresses import is_forbidden


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.170.2",
        "fe80::1",
        "fe80::a9fe:a9fe%2",
        "[fe80::1]",
        "fd00:ec2::254",
        "FD00:EC2::23",
        "fd20:ce::254",
        "fd00:c1::a9fe:a9fe",
        "fd00:42::42",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "metadata.google.internal",
        "Metadata.Google.Internal.",
        "instance-data",
    ],
)
def test_metadata_and_link_local_are_forbidden(host: str) -> None:
    assert is_forbidden(host)


@pytest.mark.parametrize(
    "host",
    [
        "2852039166",
        "0xa9fea9fe",
        "0xA9.254.43518",
        "169.254.43518",
        "0251.0376.0251.0376",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "169.254.169.254.",
    ],
)
def test_another_spelling_is_no_way_around(host: str) -> None:
    assert is_forbidden(host)


@pytest.mark.parametrize(
    "host",
    [
        "api.openai.com",
        "localhost",
        "127.0.0.1",
        "::1",
        "10.0.0.5",
        "192.168.1.10",
        "fd12:3456::1",
        "64:ff9b::7f00:1",
        "::ffff:10.0.0.1",
        "metadata.corp.example",
        "169.254.169.254.nip.io",
        "1.2.3.4.5",
        "999.1.1.1",
        "",
    ],
)
def test_self_hosted_models_and_names_are_allowed(host: str) -> None:
    """A name is looked at again once DNS has said where it leads."""
    assert not is_forbidden(host)
