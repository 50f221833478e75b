"""One server with the embedded run for the tests of a file, clients, and a picture as a data: URI."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import httpx
import openai
import pytest
from tests.server.running import Running, running

from vi.server.settings import ServerSettings
from vi.workbench import sample


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """Ask it; never stop it."""
    with running(ServerSettings()) as found:
        yield found


@pytest.fixture
def http(server: Running) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture
def client(server: Running) -> Iterator[openai.OpenAI]:
    """OpenAI's own, which asks once."""
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as found:
        yield found


@pytest.fixture(scope="session")
def picture_bytes() -> bytes:
    return sample("wood.jpg").read_bytes()


@pytest.fixture(scope="session")
def picture_uri(picture_bytes: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(picture_bytes).decode()}"
