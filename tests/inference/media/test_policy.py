from __future__ import annotations

from pathlib import Path

import pytest

from vi.inference import ConfigError, MediaPolicy


def test_the_default_allows_what_a_script_on_its_own_machine_needs():
    policy = MediaPolicy()
    assert {"http", "https", "file", "data", "s3", "gs"} <= policy.schemes
    assert (policy.hosts, policy.roots, policy.private_addresses) == (None, None, True)
    assert (policy.connect_timeout, policy.timeout, policy.max_redirects) == (20.0, 60.0, 3)
    assert (policy.max_bytes, policy.max_clip_bytes) == (64 * 2**20, 2**30)


def test_untrusted_allows_the_public_web_alone():
    policy = MediaPolicy.untrusted()
    assert policy.schemes == {"http", "https", "data"}
    assert (policy.roots, policy.private_addresses) == ((), False)


def test_untrusted_with_roots_admits_files_below_them(tmp_path):
    policy = MediaPolicy.untrusted(roots=[tmp_path], timeout=5)
    assert (policy.roots, policy.timeout) == ((tmp_path,), 5)
    assert "file" in policy.schemes


def test_a_policy_never_changes():
    with pytest.raises(ConfigError, match="never changes"):
        MediaPolicy().timeout = 1.0


def test_a_changed_copy_is_checked_and_keeps_the_rest():
    policy = MediaPolicy.untrusted().model_copy(update={"timeout": 5, "hosts": ["Example.ORG"]})
    assert (policy.private_addresses, policy.timeout, policy.hosts) == (False, 5.0, {"example.org"})
    with pytest.raises(ConfigError, match="timeout"):
        policy.model_copy(update={"timeout": -1})


@pytest.mark.parametrize(
    ("hosts", "host", "allowed"),
    [
        (None, "anything.example", True),
        (["example.org"], "example.org", True),
        (["example.org"], "EXAMPLE.org.", True),
        (["Example.ORG."], "example.org", True),
        (["example.org"], "cdn.example.org", False),
        (["example.org"], "example.org.evil.net", False),
        (["*.example.org"], "cdn.example.org", True),
        (["*.example.org"], "a.b.example.org", True),
        (["*.example.org"], "example.org", False),
        (["*.example.org"], "evilexample.org", False),
        (["bücher.example"], "xn--bcher-kva.example", True),
        (["[::1]"], "::1", True),
        ([], "example.org", False),
        ("example.org", "example.org", True),
    ],
)
def test_hosts_are_compared_as_hosts(hosts, host, allowed):
    assert MediaPolicy(hosts=hosts).allows_host(host) is allowed


def test_schemes_are_compared_without_case_and_colon():
    assert MediaPolicy(schemes=["HTTPS", "s3://"]).schemes == {"https", "s3"}


def test_a_relative_root_is_made_absolute():
    assert MediaPolicy(roots="shots").roots == (Path.cwd() / "shots",)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"time_out": 3}, "Did you mean timeout?"),
        ({"timeout": 0}, r"timeout=0\) is not allowed; it takes greater than 0"),
        ({"max_bytes": "many"}, "max_bytes='many'"),
        ({"timeout": float("inf")}, "finite"),
        ({"schemes": ["https"], "roots": ["/srv"]}, "roots are given, but schemes has no file"),
        ({"schemes": ["sftp"], "private_addresses": False}, "sftp URLs connect by themselves"),
        ({"hosts": ["a\u200db.example"]}, "hosts"),
    ],
)
def test_what_is_not_allowed_is_a_config_error(values, said):
    with pytest.raises(ConfigError, match=said):
        MediaPolicy(**values)


def test_only_a_policy_is_taken_for_one():
    assert MediaPolicy.coerce(None) == MediaPolicy()
    with pytest.raises(ConfigError, match="media_policy is of type dict"):
        MediaPolicy.coerce({"timeout": 3})
