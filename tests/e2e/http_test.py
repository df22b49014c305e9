#!/usr/bin/env python3
"""The REST port under clients that are slow, rude or gone, and while the daemon drains."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import threading
import time
import unittest
import zlib

from e2e import models
from e2e.clients import np
from e2e.daemon import Daemon
from e2e.rest import Connection, ask, infer_json, wait_until

INFER = "/v2/models/identity/infer"
SLOW = "/v2/models/slow/infer"
LIMIT = 4 << 20
WAIT_SECONDS = 60


def fill(repository):
    models.save(repository, "identity", models.identity())
    models.save(repository, "slow", models.slow())


def slow_body():
    """JSON and its length, for the slow model."""
    head = json.dumps({"inputs": [{"name": "x", "shape": [64, 1024], "datatype": "FP32",
                                   "parameters": {"binary_data_size": 64 * 1024 * 4}}]}).encode()
    return head + bytes(64 * 1024 * 4), {"Inference-Header-Content-Length": len(head)}


class HttpTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(fill, "--max-message-bytes", str(LIMIT)))
        cls.body = json.dumps(infer_json()).encode()

    def tearDown(self):
        self.assertIsNone(self.daemon.process.poll(), "the daemon died")
        wait_until(lambda: self.daemon.metrics()["inferd_inflight_request_bytes"] == 0)

    def check_answer(self, reply):
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.json()["outputs"][0]["data"], list(range(16)))

    def test_one_connection_takes_many_requests_also_all_at_once(self):
        with Connection(self.daemon) as connection:
            for _ in range(3):
                self.check_answer(connection.ask("POST", INFER, self.body))
            for _ in range(20):
                connection.request("POST", INFER, self.body)
            for _ in range(20):
                self.check_answer(connection.reply())

    def test_a_body_may_come_in_chunks_and_in_single_bytes(self):
        with Connection(self.daemon) as connection:
            connection.send(f"POST {INFER} HTTP/1.1\r\nHost: a\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n".encode())
            for i in range(0, len(self.body), 7):
                piece = self.body[i:i + 7]
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            connection.send(b"0\r\n\r\n")
            self.check_answer(connection.reply())
            head = f"POST {INFER} HTTP/1.1\r\nContent-Length: {len(self.body)}\r\n\r\n".encode()
            for byte in head + self.body:
                connection.send(bytes([byte]))
            self.check_answer(connection.reply())

    def test_a_body_that_ends_early_harms_nobody(self):
        for length in (1, 100, len(self.body) - 1):
            with Connection(self.daemon) as connection:
                connection.request("POST", INFER, self.body[:length], length=len(self.body))
        self.check_answer(ask(self.daemon, "POST", INFER, self.body))

    def test_bodies_over_the_limit_are_too_large(self):
        with Connection(self.daemon) as connection:
            connection.request("POST", INFER, length=LIMIT + 1)
            self.assertEqual(connection.reply().status, 413)
            self.assertTrue(connection.is_closed())
        with Connection(self.daemon) as connection:
            connection.send(f"POST {INFER} HTTP/1.1\r\nHost: a\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n".encode())
            chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
            for _ in range(4):
                connection.send(chunk)
            connection.send(b"1\r\n")
            self.assertEqual(connection.reply().status, 413)

    def test_a_bomb_is_too_large_and_costs_little(self):
        before = self.daemon.metrics()["inferd_process_resident_memory_bytes"]
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1024)) + packer.flush()
        for _ in range(4):
            start = time.monotonic()
            reply = ask(self.daemon, "POST", INFER, bomb, {"Content-Encoding": "gzip"})
            self.assertEqual(reply.status, 413)
            self.assertLess(time.monotonic() - start, 5)
        self.assertLess(self.daemon.metrics()["inferd_process_resident_memory_bytes"] - before, 64 << 20)
        reply = ask(self.daemon, "POST", INFER, gzip.compress(self.body)[:-4],
                    {"Content-Encoding": "gzip"})
        self.assertEqual(reply.status, 400)

    def test_health_is_answered_while_large_bodies_are_parsed(self):
        data = np.random.default_rng(0).standard_normal(180_000).round(6).tolist()
        body = json.dumps({"inputs": [{"name": "x", "shape": [11_250, 16], "datatype": "FP32",
                                       "data": data}]}).encode()
        connections = [Connection(self.daemon) for _ in range(3)]
        for connection in connections:
            connection.request("POST", INFER, body)
        for port in ("http", "metrics"):
            self.assertEqual(self.daemon.get("/v2/health/live", port)[0], 200)
        for connection in connections:
            # More rows than the model takes.
            self.assertEqual(connection.reply().status, 400)
            connection.close()

    def test_a_client_that_goes_away_cancels_its_request(self):
        def cancelled():
            return sum(value for name, value in self.daemon.metrics().items()
                       if name.startswith("nv_inference_request_failure")
                       and 'reason="CANCELED"' in name)

        before = cancelled()
        connections = [Connection(self.daemon) for _ in range(12)]
        for connection in connections:
            connection.request("POST", SLOW, *slow_body())
        connections[0].reply()
        for connection in connections:
            connection.close()
        wait_until(lambda: cancelled() > before)

    def test_curl_sends_a_large_body_after_it_was_invited(self):
        if shutil.which("curl") is None:
            self.skipTest("there is no curl")
        data = self.body + b" " * (LIMIT - len(self.body))
        path = os.path.join(self.daemon.folder, "body.json")
        with open(path, "wb") as file:
            file.write(data)
        for extra in ([], ["-H", "Transfer-Encoding: chunked"], ["--compressed"]):
            ended = subprocess.run(
                ["curl", "-sv", "--data-binary", f"@{path}", *extra,
                 "http://" + self.daemon.addresses["http"] + INFER],
                capture_output=True, timeout=WAIT_SECONDS, check=True)
            self.assertEqual(json.loads(ended.stdout)["outputs"][0]["data"], list(range(16)))
            self.assertIn(b"100 Continue", ended.stderr)

    def test_connections_are_counted_and_bounded(self):
        with Daemon(fill, "--max-http-connections", "3", "--http-threads", "1") as daemon:
            connections = [Connection(daemon) for _ in range(3)]
            for connection in connections:
                self.check_answer(connection.ask("POST", INFER, self.body))
            self.assertEqual(daemon.metrics()["inferd_http_connections"], 3)
            self.assertEqual(daemon.metrics()["inferd_http_connection_limit"], 3)
            with Connection(daemon) as surplus:
                self.assertEqual(surplus.reply().status, 503)
            for connection in connections:
                connection.close()
            wait_until(lambda: daemon.metrics()["inferd_http_connections"] == 0)
            self.check_answer(ask(daemon, "POST", INFER, self.body))

    def test_paths_and_methods_that_are_not_served_say_so(self):
        for method, path, status in (("GET", "/", 404), ("GET", INFER, 405), ("POST", "/v2/x", 404),
                                     ("DELETE", INFER, 405), ("GET", "/v2/models/%zz/ready", 400)):
            reply = ask(self.daemon, method, path)
            self.assertEqual(reply.status, status)
            self.assertTrue(reply.error())
        with Connection(self.daemon) as connection:
            connection.send(b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n")
            self.assertEqual(connection.reply().status, 431)


class HttpDrainTest(unittest.TestCase):

    def test_requests_in_flight_are_answered_and_idle_connections_do_not_hold_it_up(self):
        with Daemon(fill) as daemon:
            idle = Connection(daemon)
            self.assertEqual(idle.ask("GET", "/v2/health/ready").status, 200)
            connections = [Connection(daemon) for _ in range(8)]
            for connection in connections:
                connection.request("POST", SLOW, *slow_body())
            # The first answer shows that the others have arrived.
            statuses = [connections[0].reply().status]
            daemon.process.send_signal(signal.SIGTERM)
            statuses += [connection.reply().status for connection in connections[1:]]
            self.assertEqual(statuses, [200] * 8)
            self.assertEqual(daemon.stop(), 0)
            self.assertTrue(idle.is_closed())
            for connection in [idle, *connections]:
                connection.close()

    def test_under_load_every_request_is_answered_or_refused_as_unavailable(self):
        body = json.dumps(infer_json()).encode()
        with Daemon(fill, "--drain-delay", "1") as daemon:
            statuses, lock = [], threading.Lock()

            def run():
                with Connection(daemon) as connection:
                    status = 200
                    while status == 200:
                        try:
                            status = connection.ask("POST", INFER, body).status
                        except OSError:
                            status = 0  # between two requests
                        with lock:
                            statuses.append(status)

            threads = [threading.Thread(target=run) for _ in range(8)]
            for thread in threads:
                thread.start()
            wait_until(lambda: len(statuses) > 200)
            self.assertEqual(daemon.stop(), 0)
            for thread in threads:
                thread.join()
            counts = {status: statuses.count(status) for status in set(statuses)}
            print(f"statuses while draining: {counts}")
            self.assertLessEqual(set(counts), {200, 503, 0})


if __name__ == "__main__":
    unittest.main()
