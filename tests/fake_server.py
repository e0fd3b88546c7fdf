"""A chat server of the standard library that answers, and misbehaves, as a test tells it."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "sk-test-0123456789abcdef"
AUDIT = (
    "<audit>Fine. The IoU with GT is <iou> 0.81 </iou>, its mask type belongs to <mask> erode </mask>, and the"
    " recommended action is <action> Major Revision </action>.</audit>"
)
TOKENS = {"text": 100, "image_url": 66, "input_audio": 250, "video_url": 660}


def completion(text: str | None = AUDIT, finish: str = "stop", usage: dict | None = None, **message) -> dict:
    """A whole chat completion."""
    counts = usage or {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}
    choice = {"index": 0, "message": {"role": "assistant", "content": text} | message, "finish_reason": finish}
    return {"object": "chat.completion", "model": "fake-1", "choices": [choice], "usage": counts}


class FakeServer(ThreadingHTTPServer):
    """`script`: what the next requests get, each once: a status with headers and a body, bytes, or a way to misbehave.

    Afterwards, `answer` makes the text for each body. `bodies` and `keys` are what has come.
    """

    daemon_threads = True

    def __init__(self, answer=lambda body: AUDIT, deaf: tuple[str, ...] = ()):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer, self.deaf = answer, deaf
        self.script: list = []
        self.bodies: list[dict] = []
        self.keys: list[str | None] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def usage(self, body: dict) -> dict:
        kinds = [e["type"] for m in body["messages"] for e in (m["content"] if isinstance(m["content"], list) else [])]
        tokens = sum(TOKENS[kind] for kind in kinds if kind not in self.deaf and kind != "text") + TOKENS["text"]
        return {"prompt_tokens": tokens, "completion_tokens": 50, "total_tokens": tokens + 50}

    def handle_error(self, request, client_address):
        """A connection that a test has broken is no news."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.bodies.append(body)
            self.server.keys.append(self.headers.get("Authorization"))
            step = self.server.script.pop(0) if self.server.script else None
        if step is None:
            answer = self.server.answer(body)
            step = answer if isinstance(answer, dict) else completion(answer, usage=self.server.usage(body))
        self.send(step)

    def send(self, step):
        if step == "reset":
            self.close_connection = True
            self.connection.close()
        elif step == "cut":
            self.reply(200, {"Content-Length": "5000"}, json.dumps(completion()).encode())
            self.close_connection = True
        elif step == "slow":
            self.reply(200, {"Content-Length": "50"}, b"{")
            threading.Event().wait(3)
            self.close_connection = True
        elif isinstance(step, tuple):
            self.reply(step[0], step[1], step[2] if isinstance(step[2], bytes) else json.dumps(step[2]).encode())
        else:
            self.reply(200, {}, step if isinstance(step, bytes) else json.dumps(step).encode())

    def reply(self, status: int, headers: dict, body: bytes):
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def digest(body: dict) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


@contextmanager
def serving(**settings):
    """A server that runs as long as the block."""
    server = FakeServer(**settings)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
