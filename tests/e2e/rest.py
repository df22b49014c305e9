"""The REST port for the tests: the real client, and plain requests on plain sockets."""

import json
import os
import socket
import sys
import time

from e2e.clients import SKIPPED, np

try:
    import tritonclient.http as triton_http
    import tritonclient.http.aio as triton_aio
except ImportError as error:
    print(f"skipped: {error}; tests/requirements.txt lists what is needed")
    sys.exit(1 if os.environ.get("INFERD_REQUIRE_CLIENTS") else SKIPPED)

__all__ = ["Connection", "Reply", "ask", "client", "given", "infer_json", "triton_aio",
           "triton_http", "wait_until"]
TIMEOUT_SECONDS = 60


def wait_until(condition):
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come true")
        time.sleep(0.02)


def client(daemon, **keywords):
    """The Python client; `network_timeout` and the like may be given."""
    return triton_http.InferenceServerClient(daemon.addresses["http"], **keywords)


def given(name, data, datatype, binary=True, module=triton_http):
    """An input of the client with its data."""
    made = module.InferInput(name, list(data.shape), datatype)
    made.set_data_from_numpy(data, binary_data=binary)
    return made


class Reply:
    """Status, headers in lower case and body of one HTTP reply."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def error(self):
        return self.json()["error"]


class Connection:
    """A socket that sends what it is told."""

    def __init__(self, daemon, port="http"):
        host, number = daemon.addresses[port].rsplit(":", 1)
        self.socket = socket.create_connection((host, int(number)), timeout=TIMEOUT_SECONDS)
        self._received = b""

    def send(self, data):
        self.socket.sendall(data)

    def request(self, method, path, body=b"", headers=None, length=None):
        """Sends a request; `length` instead of the body's own."""
        lines = [f"{method} {path} HTTP/1.1", "Host: test"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body or length is not None or method == "POST":
            lines.append(f"Content-Length: {len(body) if length is None else length}")
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def _fill(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._received += data

    def reply(self):
        while b"\r\n\r\n" not in self._received:
            self._fill()
        head, self._received = self._received.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        headers = {
            name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)
        }
        length = int(headers.get("content-length", 0))
        while len(self._received) < length:
            self._fill()
        body, self._received = self._received[:length], self._received[length:]
        return Reply(int(first.split()[1]), headers, body)

    def ask(self, method, path, body=b"", headers=None):
        self.request(method, path, body, headers)
        return self.reply()

    def is_closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ask(daemon, method, path, body=None, headers=None):
    """One request on a connection of its own; `body` may be an object, sent as JSON."""
    if body is None:
        body = b""
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    with Connection(daemon) as connection:
        return connection.ask(method, path, body, headers)


def infer_json(rows=1, width=16, **fields):
    """The JSON body of an inference with the identity model."""
    data = np.arange(rows * width, dtype=np.float32).reshape(rows, width)
    made = {"name": "x", "shape": list(data.shape), "datatype": "FP32", "data": data.tolist()}
    return {"inputs": [made], **fields}
