"""Short printable names of sources: never a password, a query or a picture's own data."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

MAX_LABEL = 120
"""Characters; a longer text keeps its two ends."""


def printable(text: str, limit: int = MAX_LABEL) -> str:
    """``text`` on one line, control characters escaped, its middle left out beyond ``limit`` characters."""
    if len(text) > 2 * limit:
        text = text[:limit] + text[-limit:]
    clean = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    if len(clean) <= limit:
        return clean
    half = (limit - 1) // 2
    return f"{clean[:half]}…{clean[-half:]}"


def byte_size(count: int) -> str:
    """A byte count for people: ``812 bytes``, ``12 kB``, ``3.4 MB`` (powers of 1000)."""
    if count < 1000:
        return f"{count} byte{'' if count == 1 else 's'}"
    if count < 1_000_000:
        return f"{count / 1000:.3g} kB" if count < 999_500 else "1 MB"
    return f"{count / 1_000_000:,.1f} MB"


def url_label(url: str) -> str:
    """Scheme, host, port and path of ``url``; its user-info, query and fragment are left out."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host:
        scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url)
        return f"{scheme[0].lower() if scheme else ''}//…"
    host = f"[{host}]" if ":" in host else host
    return printable(f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}")


def data_label(header: str, count: int) -> str:
    """``data:image/png (12 kB)`` from a data URI's header (the part between ``data:`` and the comma)."""
    media_type = re.match(r"[\w.+-]{1,40}/[\w.+-]{1,40}", header)
    return f"data:{media_type[0].lower() if media_type else ''} ({byte_size(count)})"
