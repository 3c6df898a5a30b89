"""Where no call may go: link-local addresses, and the metadata services of clouds, which give out keys."""

from __future__ import annotations

import re
import socket
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address, ip_network

type Address = IPv4Address | IPv6Address

FORBIDDEN = tuple(
    ip_network(network)
    for network in (
        # Link-local, where AWS, Google, Azure, Oracle, OpenStack and Tencent have their metadata.
        "169.254.0.0/16",  # https://www.rfc-editor.org/rfc/rfc3927
        "fe80::/10",  # https://www.rfc-editor.org/rfc/rfc4291#section-2.5.6
        # AWS services over IPv6: metadata (::254) and EKS Pod Identity (::23) among them.
        "fd00:ec2::/32",  # https://docs.aws.amazon.com/whitepapers/latest/ipv6-on-aws/supporting-amazon-vpc-services.html
        "fd20:ce::254/128",  # https://cloud.google.com/compute/docs/metadata/querying-metadata
        "168.63.129.16/32",  # https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
        "100.100.100.200/32",  # https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata
        "192.0.0.192/32",  # Oracle Cloud Classic; IANA: https://www.iana.org/assignments/iana-ipv4-special-registry
        "fd00:c1::a9fe:a9fe/128",  # https://docs.oracle.com/iaas/Content/Compute/Tasks/gettingmetadata.htm
        "fd00:42::42/128",  # https://cloudinit.readthedocs.io/en/latest/reference/datasources/scaleway.html
    )
)

FORBIDDEN_NAMES = frozenset(
    (
        "metadata.google.internal",  # https://cloud.google.com/compute/docs/metadata/querying-metadata
        "metadata.goog",
        "metadata",
        "instance-data",  # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
        "instance-data.ec2.internal",
        "metadata.tencentyun.com",  # https://www.tencentcloud.com/document/product/213/4934
    )
)

_NAT64 = ip_network("64:ff9b::/96")  # https://www.rfc-editor.org/rfc/rfc6052#section-2.1
_NUMBERS = re.compile(r"(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+)){0,3}")


@lru_cache(maxsize=4096)
def is_forbidden(host: str) -> bool:
    """True where this name or address (in any spelling that a system's resolver takes) is never a target."""
    host = host.strip("[]").rstrip(".").lower()
    address = parse(host)
    if address is None:
        return host in FORBIDDEN_NAMES
    return any(a in network for a in (address, embedded(address)) if a for network in FORBIDDEN)


def parse(host: str) -> Address | None:
    """The address that a host is, without asking DNS; 2852039166 and 0xa9.254.43518 are addresses too."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host)) if _NUMBERS.fullmatch(host) else None
    except (OSError, AddressValueError):
        return None


def embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address that packets to this IPv6 address end at: mapped, 6to4 or NAT64."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(address.packed[12:])
    return address.ipv4_mapped or address.sixtofour
