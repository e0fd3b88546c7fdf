"""One request to a server over HTTP, and all that comes back. Nothing is judged or tried again here."""

from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

CHUNK, MOST_BYTES = 65_536, 64 * 2**20


@dataclass(frozen=True)
class Received:
    """A reply of a server, whatever its status. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class NoReply(Exception):
    """No whole reply has come; the message says why, without addresses and keys."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(self, *args, **kwargs):
        return None


class Transport:
    """Sends bodies to one address. The key is read from its variable and given to nobody else."""

    def __init__(self, server: str, key_variable: str | None, timeout: float, now: Callable = time.monotonic):
        self.url = f"{server.rstrip('/')}/chat/completions"
        self.host = urlsplit(server).netloc
        self.timeout, self.now = timeout, now
        self._key = _read_key(key_variable)
        self._opener = urllib.request.build_opener(_NoRedirect)

    def post(self, body: bytes) -> Received:
        """Raises NoReply for time-outs, lost connections and bodies that were cut."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self._key}"} if self._key else {})
        request = urllib.request.Request(self.url, body, headers, method="POST")
        deadline = self.now() + self.timeout
        try:
            with self._open(request) as response:
                content = self._read(response, deadline)
                return Received(
                    response.status, {k.lower(): self.hide(v) for k, v in response.headers.items()}, content
                )
        except TimeoutError:
            raise NoReply(f"no reply within {self.timeout:g} s") from None
        except urllib.error.URLError as error:
            raise NoReply(self.hide(f"no connection ({_reason(error.reason)})")) from None
        except (http.client.HTTPException, OSError) as error:
            raise NoReply(self.hide(f"connection lost ({_reason(error)})")) from None

    def hide(self, text: str) -> str:
        """The text without the key: a server may repeat it."""
        return text.replace(self._key, "[key]") if self._key else text

    def _open(self, request: urllib.request.Request):
        try:
            return self._opener.open(request, timeout=self.timeout)
        except urllib.error.HTTPError as error:
            return error  # a reply like any other

    def _read(self, response, deadline: float) -> bytes:
        """The whole body. A server that sends a few bytes now and then must not hold the request for ever."""
        chunks, size = [], 0
        while chunk := response.read1(CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > MOST_BYTES:
                raise NoReply(f"expected at most {MOST_BYTES // 2**20} MB, got more")
            if self.now() > deadline:
                raise NoReply(f"no whole reply within {self.timeout:g} s")
        announced = response.headers.get("Content-Length", "")
        if announced.isdigit() and size < int(announced):
            raise NoReply(f"the reply was cut off after {size} of {announced} bytes")
        return self.hide(b"".join(chunks).decode("utf-8", "replace")).encode()


def _reason(error: object) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def _read_key(variable: str | None) -> str | None:
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ValueError(f"--key_variable {variable}: expected an environment variable that holds the key, got none")
    if not key.isascii() or not key.isprintable():
        raise ValueError(f"--key_variable {variable}: expected a key of printable ASCII characters, got others")
    return key
