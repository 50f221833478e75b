"""A server that speaks HTTP/2 over TLS on loopback, and nothing else."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import Event, RequestReceived, WindowUpdated
from h2.exceptions import ProtocolError

Headers = list[tuple[str, str]]
Answer = Callable[[dict[str, str]], tuple[Headers, bytes]]


class Http2Web:
    """``answer`` gets a request's headers, ``:path`` among them, and gives those of the response and its body."""

    def __init__(self, certificate: Path, answer: Answer) -> None:
        self.requests: list[dict[str, str]] = []
        self._answer = answer
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate)
        self._tls.set_alpn_protocols(["h2"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer: socket.socket) -> None:
        left: dict[int, bytes] = {}  # of the body of each stream
        with suppress(OSError, ProtocolError), self._tls.wrap_socket(peer, server_side=True) as stream:
            talk = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
            talk.initiate_connection()
            stream.sendall(talk.data_to_send())
            while content := stream.recv(65_536):
                for event in talk.receive_data(content):
                    self._note(talk, event, left)
                self._send(talk, left)
                stream.sendall(talk.data_to_send())

    def _note(self, talk: H2Connection, event: Event, left: dict[int, bytes]) -> None:
        if isinstance(event, RequestReceived):
            self.requests.append(dict(event.headers))
            headers, body = self._answer(self.requests[-1])
            talk.send_headers(event.stream_id, headers)
            left[event.stream_id] = body
        assert not isinstance(event, WindowUpdated) or event.delta > 0

    def _send(self, talk: H2Connection, left: dict[int, bytes]) -> None:
        """As much as the windows of flow control allow."""
        for number in list(left):
            while left[number] and (room := talk.local_flow_control_window(number)):
                size = min(room, talk.max_outbound_frame_size, len(left[number]))
                talk.send_data(number, left[number][:size])
                left[number] = left[number][size:]
            if not left[number]:
                talk.end_stream(number)
                del left[number]
