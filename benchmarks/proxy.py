"""Counting any driver's round trips: a socket between client and server that sees each `ReadyForQuery` pass."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import make_url


class CountingProxy:
    """Listens at a Unix socket of its own and hands everything on to the server.

    Attributes:
        url: The server's URL through the proxy.
        round_trips: How often the server has said so far that it awaits the next query.
    """

    def __init__(self, url: str) -> None:
        self._server = conninfo_to_dict(url)
        self._folder = tempfile.TemporaryDirectory()
        self.round_trips = 0
        through = make_url(url).set(host=None, port=None).update_query_dict({"host": self._folder.name, "port": "5432"})
        self.url = through.render_as_string(hide_password=False)

    def __enter__(self) -> Self:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(f"{self._folder.name}/.s.PGSQL.5432")
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._folder.cleanup()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:  # closed
                return
            server = self._connect()
            threading.Thread(target=self._requests, args=[client, server], daemon=True).start()
            threading.Thread(target=self._answers, args=[server, client], daemon=True).start()

    def _connect(self) -> socket.socket:
        host, port = str(self._server.get("host") or "localhost"), int(self._server.get("port") or 5432)
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(os.path.join(host, f".s.PGSQL.{port}"))  # noqa: PTH118 - a socket's name
        return server

    @staticmethod
    def _requests(client: socket.socket, server: socket.socket) -> None:
        while data := client.recv(1 << 16):
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        waiting = b""
        while data := server.recv(1 << 16):
            waiting += data
            while len(waiting) >= 5 and len(waiting) > (length := int.from_bytes(waiting[1:5], "big")):
                self.round_trips += waiting[:1] == b"Z"
                waiting = waiting[length + 1 :]
            client.sendall(data)
        client.shutdown(socket.SHUT_RDWR)  # closing would not wake the thread that waits for its requests
