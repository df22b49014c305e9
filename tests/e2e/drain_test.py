#!/usr/bin/env python3
"""SIGTERM: readiness goes first, requests in flight are answered, new ones are refused, exit 0."""

import signal
import threading
import time
import unittest

from e2e import models
from e2e.calls import check_health, identity_request, request, tensor, watch_health
from e2e.clients import grpc
from e2e.daemon import Daemon

Code = grpc.StatusCode


def fill(repository):
    models.save(repository, "identity", models.identity())
    models.save(repository, "slow", models.slow())


def slow_request():
    return request("slow", [tensor("x", "FP32", [64, 1024])], [b"\0" * (64 * 1024 * 4)])


class DrainTest(unittest.TestCase):

    def test_an_idle_daemon_stops_at_once_with_exit_0(self):
        with Daemon(fill) as daemon:
            start = time.monotonic()
            self.assertEqual(daemon.stop(), 0)
            self.assertLess(time.monotonic() - start, 10)

    def test_requests_in_flight_are_answered(self):
        with Daemon(fill) as daemon:
            stub = daemon.stub()
            calls = [stub.ModelInfer.future(slow_request()) for _ in range(8)]
            # The first answer shows that the others have arrived.
            calls[0].result(timeout=60)
            code = daemon.stop()
            self.assertEqual(code, 0)
            self.assertEqual({call.code() for call in calls}, {Code.OK})

    def test_serves_on_while_not_ready_during_the_drain_delay(self):
        with Daemon(fill, "--drain-delay", "3") as daemon:
            channel, stub = daemon.channel(), daemon.stub()
            watch = watch_health(channel)
            self.assertEqual(next(watch), "SERVING")
            daemon.process.send_signal(signal.SIGTERM)
            self.assertEqual(next(watch), "NOT_SERVING")
            self.assertEqual(check_health(channel), "NOT_SERVING")
            self.assertNotEqual(daemon.get("/v2/health/ready")[0], 200)
            self.assertEqual(daemon.get("/v2/health/live")[0], 200)
            stub.ModelInfer(identity_request(), timeout=2)
            self.assertEqual(daemon.process.wait(30), 0)

    def test_under_load_every_call_is_answered_or_refused_as_unavailable(self):
        with Daemon(fill) as daemon:
            codes, lock, stop = [], threading.Lock(), threading.Event()

            def ask():
                stub = daemon.stub()
                while not stop.is_set():
                    try:
                        stub.ModelInfer(identity_request(), timeout=20)
                        code = Code.OK
                    except grpc.RpcError as error:
                        code = error.code()
                    with lock:
                        codes.append(code)
                    if code != Code.OK:
                        return

            threads = [threading.Thread(target=ask) for _ in range(8)]
            for thread in threads:
                thread.start()
            while len(codes) < 200:
                time.sleep(0.01)
            self.assertEqual(daemon.stop(), 0)
            stop.set()
            for thread in threads:
                thread.join()
            counts = {code: codes.count(code) for code in set(codes)}
            print(f"codes while draining: {counts}")
            # gRPC itself may cancel a call that races with its last GOAWAY.
            self.assertLessEqual(set(counts), {Code.OK, Code.UNAVAILABLE, Code.CANCELLED})
            self.assertLessEqual(counts.get(Code.CANCELLED, 0), 8)

    def test_gives_up_after_the_exit_timeout(self):
        with Daemon(fill, "--exit-timeout", "1") as daemon:
            stub = daemon.stub()
            calls = [stub.ModelInfer.future(slow_request()) for _ in range(200)]
            calls[0].result(timeout=60)
            start = time.monotonic()
            daemon.stop()
            self.assertLess(time.monotonic() - start, 20)


if __name__ == "__main__":
    unittest.main()
