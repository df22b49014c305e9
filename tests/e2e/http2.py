"""Just enough of HTTP/2 for a connection that costs the client next to nothing."""

import socket
import struct


class Http2:
    """A connection; use with `with`."""

    DATA, HEADERS, SETTINGS, PING, GOAWAY = 0, 1, 4, 6, 7
    END_STREAM, END_HEADERS = 1, 4
    ENHANCE_YOUR_CALM = 11

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)))
        self.socket.settimeout(30)
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self._frame(self.SETTINGS))
        self._buffer = b""
        self._stream = -1

    @staticmethod
    def _frame(kind, flags=0, payload=b"", stream=0):
        head = struct.pack(">I", len(payload))[1:] + bytes([kind, flags])
        return head + struct.pack(">I", stream) + payload

    @staticmethod
    def _headers(pairs):
        """HPACK's plainest form: nothing is indexed, nothing compressed."""
        return b"".join(
            b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
            for name, value in pairs)

    def _next(self):
        """(kind, flags, payload) of a frame; None for the kind at the end."""
        while True:
            if len(self._buffer) >= 9:
                size = int.from_bytes(self._buffer[:3], "big")
                if len(self._buffer) >= 9 + size:
                    frame = self._buffer[3], self._buffer[4], self._buffer[9:9 + size]
                    self._buffer = self._buffer[9 + size:]
                    return frame
            data = self.socket.recv(65536)
            if not data:
                return None, 0, b""
            self._buffer += data

    def begin_call(self, path, message):
        """Sends a whole unary gRPC call."""
        self._stream += 2
        headers = self._headers([
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
            ("content-type", "application/grpc"), ("te", "trailers")])
        data = b"\0" + struct.pack(">I", len(message)) + message
        self.socket.sendall(
            self._frame(self.HEADERS, self.END_HEADERS, headers, self._stream)
            + self._frame(self.DATA, self.END_STREAM, data, self._stream))

    def end_call(self):
        """The reply's message, or None where there is none."""
        data = b""
        while True:
            kind, flags, payload = self._next()
            if kind is None or kind == self.GOAWAY:
                return None
            if kind == self.DATA:
                data += payload
            if kind in (self.DATA, self.HEADERS) and flags & self.END_STREAM:
                return data[5:] if data else None

    def survives_pings(self, count, interval, sleep):
        """Whether each of the pings is answered."""
        for number in range(count):
            self.socket.sendall(self._frame(self.PING, 0, struct.pack(">Q", number)))
            kind = None
            while kind != self.PING:
                kind, _, payload = self._next()
                if kind == self.GOAWAY:
                    assert struct.unpack(">I", payload[4:8])[0] == self.ENHANCE_YOUR_CALM, payload
                    return False
                if kind is None:
                    return False
            sleep(interval)
        return True

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
