from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.media.addresses import is_public

PUBLIC = [
    "8.8.8.8", "1.1.1.1", "93.184.215.14", "172.32.0.1", "100.128.0.1", "192.0.1.1",
    "2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
]  # fmt: skip
NOT_PUBLIC = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "192.0.2.1", "198.18.0.1", "198.51.100.7",
    "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "2001::1",
    "2002:7f00:1::", "3fff::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::8.8.8.8", "::127.0.0.1", "::8.8.8.8", "100::1", "5f00::1", "4000::1", "2606:4700:4700::1111%eth0",
    "localhost", "127.1", "0x7f000001", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_global_unicast_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_everything_else_is_not(address):
    assert not is_public(address)


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_nothing_that_python_calls_special_is_public(address):
    special = address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
    assert not (is_public(str(address)) and (special or address.is_reserved or address.is_unspecified))


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_an_address_inside_another_counts_as_itself(address):
    plain = is_public(str(address))
    assert is_public(f"::ffff:{address}") == is_public(f"64:ff9b::{address}") == plain
