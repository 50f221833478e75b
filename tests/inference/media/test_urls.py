from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.errors import SourceError
from vi.inference.media.labels import url_label
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.urls import file_path, parse_web_url

POLICY = MediaPolicy()


def host(url: str, policy: MediaPolicy = POLICY) -> str:
    return parse_web_url(url, url_label(url), policy).raw_host.decode()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://example.org/a b.png", "example.org"),
        ("HTTPS://EXAMPLE.org:8443/ä.png?q=\\x", "example.org"),
        ("http://alice:p%40ss@example.org/a.png", "example.org"),
        ("http://bücher.example/a.png", "xn--bcher-kva.example"),
        ("http://example.org./a.png", "example.org."),
        ("http://[::1]:80/a.png", "::1"),
        ("http://127.0.0.1/a.png", "127.0.0.1"),
        ("http://127。0。0。1/a.png", "127.0.0.1"),
        ("http://my_bucket.s3.example/a.png", "my_bucket.s3.example"),
    ],
)
def test_a_plain_address_has_one_host(url, expected):
    assert host(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://0177.0.0.1/", "http://0x7f.0.0.1/", "http://2130706433/", "http://0x7f000001/", "http://017700000001/",
        "http://127.1/", "http://127.0.1/", "http://127.0.0.1./", "http://1.2.3.4.5/", "http://256.1.1.1/",
        "http://good.example\\@127.0.0.1/", "http://127.0.0.1\\.good.example/", "http://a@b@127.0.0.1/",
        "http://127.0.0.1\t.good.example/", "http://good\u200b.example/", "http://good\u00ad.example/",
        "http://①②⑦.⓪.⓪.①/", "http://%31%32%37.0.0.1/", "http://good.example%00.evil.example/",
        "http://good.example%2f@127.0.0.1:80%40x/", "http://[::1%25eth0]/", "http://[127.0.0.1]/", "http://a..b/",
        "http://-a.example/", "http://.example/", "http:///etc/passwd", "http:\\\\127.0.0.1/", "http://ex ample.org/",
        "http://h:99999/", "http://[::ffff:127.0.0.1", "http://good.example\u2028/", "http://\u202eexample.org/",
    ],
)  # fmt: skip
def test_an_address_that_can_be_read_in_two_ways_is_refused(url):
    with pytest.raises(SourceError, match=r"refused|not a valid http"):
        host(url)


def test_user_info_that_looks_like_a_host_does_not_hide_the_host():
    only = MediaPolicy(hosts=["good.example"])
    with pytest.raises(SourceError, match="does not allow its host"):
        host("http://good.example@evil.example/", only)
    with pytest.raises(SourceError, match="does not allow its host"):
        host("http://good.example:80@evil.example/", only)
    assert host("http://evil.example@good.example/", only) == "good.example"


def test_the_policy_names_the_schemes():
    with pytest.raises(SourceError, match="allows no http "):
        host("hTTp://example.org/", MediaPolicy(schemes=["https"]))


@given(st.text(max_size=40), st.sampled_from(["http://", "https://", "HTTP://", "http:"]))
def test_any_text_is_a_url_or_a_source_error_without_secrets(text, scheme):
    url = f"{scheme}alice:hunter2@{text}"
    try:
        found = parse_web_url(url, url_label(url), POLICY)
    except SourceError as error:
        said = str(error)
    else:
        said = found.raw_host.decode("ascii")
        assert found.scheme in ("http", "https")
    assert said.isprintable()
    assert "hunter2" not in said or "hunter2" in text


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///srv/shots/a%20b.png", "/srv/shots/a b.png"),
        ("file:/srv/a.png", "/srv/a.png"),
        ("FILE://localhost/srv/a.png", "/srv/a.png"),
        ("file:///srv/%C3%A4.png", "/srv/ä.png"),
    ],
)
def test_a_file_url_is_a_path(url, path):
    assert file_path(url) == Path(path)


@pytest.mark.parametrize("url", ["file://host/a.png", "file://", "file:///a%00.png", "file://alice:hunter2@h/a.png"])
def test_a_file_url_of_another_machine_is_refused(url):
    with pytest.raises(SourceError, match="does not name a file of this machine") as caught:
        file_path(url)
    assert "hunter2" not in str(caught.value)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_every_name_survives_its_file_url(name):
    path = "/srv/" + name
    assert str(file_path("file://" + quote(path))) == str(Path(path))
