"""Web addresses that mean one thing only, to every reader."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import httpx

from ..errors import SourceError
from .policy import WEB, MediaPolicy

_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
_NAME = re.compile(r"(?!-)[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def parse_web_url(url: str, label: str, policy: MediaPolicy) -> httpx.URL:
    """``url``, checked. Raises SourceError where it is malformed, could be read in two ways, or is not allowed.

    Refused are hosts with characters that are not seen, back-slashes and several @ before the path, and addresses
    in octal, hexadecimal, or fewer than four numbers: programs differ in where those lead.
    """
    doubt = _doubt(url)
    if doubt:
        raise SourceError(f"{label} is refused: {doubt}.", "The form is https://host/path.")
    try:
        parsed = httpx.URL(url)
        usable = parsed.scheme in WEB and _is_host(parsed) and (parsed.port or 1) < 65536
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        raise SourceError(f"{label} is not a valid http(s) URL.", "The form is https://host/path.")
    check_allowed(parsed.scheme, parsed.raw_host.decode("ascii"), label, policy)
    return parsed


def check_allowed(scheme: str, host: str, label: str, policy: MediaPolicy) -> None:
    """Raises SourceError where ``policy`` does not allow URLs of the scheme or the host."""
    if scheme not in policy.schemes:
        allowed = ", ".join(sorted(policy.schemes)) or "none"
        raise SourceError(f"{label} is not read: the media policy allows no {scheme} (allowed: {allowed}).")
    if not policy.allows_host(host):
        raise SourceError(f"{label} is not read: the media policy does not allow its host.")


def _doubt(url: str) -> str:
    found = _AUTHORITY.match(url)
    authority = found[1] if found else ""
    if "\\" in authority or authority.count("@") > 1:
        return "its host can be read in two ways"
    if any(unicodedata.category(c) in ("Cc", "Cf", "Zs", "Zl", "Zp") for c in authority):
        return "its host has a space or a character that cannot be seen"
    return ""


def _is_host(url: httpx.URL) -> bool:
    host = url.raw_host.decode("ascii").lower()
    if ":" in host:
        IPv6Address(host)  # ValueError where it is none
        return "%" not in host
    if not _NAME.fullmatch(host):
        return False
    if _NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]):
        IPv4Address(host)  # strict: four decimal numbers without leading zeros
    return True


def file_path(url: str) -> Path:
    """The path that a ``file:`` URL names (RFC 8089). Raises SourceError where it names another machine or no path."""
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost") or "\0" in path or not path:
        raise SourceError("The file: URL does not name a file of this machine.", "The form is file:///path.")
    return Path(url2pathname(parts.path))
