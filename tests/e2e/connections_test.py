#!/usr/bin/env python3
"""gRPC connections: compression both ways and its limits, age, keepalive."""

import queue
import time
import unittest

from e2e import models
from e2e.calls import identity_request, status_of, tensor
from e2e.clients import grpc, messages, np, service, triton
from e2e.daemon import Daemon, run_inferd
from e2e.http2 import Http2
from e2e.relay import Relay

MEGABYTE = 1 << 20
WIDTH = 1 << 16


def fill(repository):
    models.save(repository, "identity", models.identity())
    models.save(repository, "wide", models.identity(width=WIDTH))


def zeros_input():
    given = triton.InferInput("x", [1, WIDTH], "FP32")
    given.set_data_from_numpy(np.zeros([1, WIDTH], np.float32))
    return given


def peak_bytes(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        lines = dict(line.split(":", 1) for line in file)
    return int(lines["VmHWM"].split()[0]) * 1024


class CompressionTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(
            fill, "--allow-compressed-requests", "--model-control-mode", "explicit",
            "--load-model", "*"))

    def through_relay(self):
        relay = self.enterContext(Relay(self.daemon.grpc))
        return relay, triton.InferenceServerClient(relay.address)

    def test_requests_and_replies_are_compressed(self):
        for algorithm in ("gzip", "deflate"):
            relay, client = self.through_relay()
            answer = client.infer("wide", [zeros_input()], compression_algorithm=algorithm)
            np.testing.assert_array_equal(answer.as_numpy("y"), np.zeros([1, WIDTH]))
            self.assertLess(relay.bytes_to_server, WIDTH)
            self.assertLess(relay.bytes_to_client, WIDTH)

    def test_replies_alone_are_compressed_when_the_call_asks(self):
        relay, client = self.through_relay()
        client.infer("wide", [zeros_input()], headers={"response-encoding": "gzip"})
        self.assertGreater(relay.bytes_to_server, 4 * WIDTH)
        self.assertLess(relay.bytes_to_client, WIDTH)
        # Whoever merely could read them has not asked.
        client.infer("wide", [zeros_input()])
        self.assertGreater(relay.bytes_to_client, 4 * WIDTH)

    def test_streams_are_compressed(self):
        for algorithm in ("gzip", "deflate"):
            relay, client = self.through_relay()
            answers = queue.Queue()
            client.start_stream(lambda result, error: answers.put((result, error)),
                                compression_algorithm=algorithm)
            for _ in range(3):
                client.async_stream_infer("wide", [zeros_input()])
            for _ in range(3):
                result, error = answers.get(timeout=30)
                self.assertIsNone(error)
                self.assertEqual(result.as_numpy("y").shape, (1, WIDTH))
            client.stop_stream()
            self.assertLess(relay.bytes_to_server, WIDTH)
            self.assertLess(relay.bytes_to_client, WIDTH)

    def test_a_load_may_be_compressed(self):
        request = messages.RepositoryModelLoadRequest(model_name="fresh")
        request.parameters["config"].string_param = "{}" + " " * 10000
        request.parameters["file:1/model.onnx"].bytes_param = (
            models.identity().SerializeToString())
        self.daemon.stub().RepositoryModelLoad(request, compression=grpc.Compression.Gzip)
        self.assertTrue(self.daemon.client().is_model_ready("fresh"))

    def test_a_bomb_costs_no_more_than_a_large_request(self):
        bomb = bytes(600 * MEGABYTE)
        channel = self.daemon.channel()
        for method in ("ModelInfer", "RepositoryModelLoad"):
            call = channel.unary_unary(f"/inference.GRPCInferenceService/{method}")
            with self.assertRaises(grpc.RpcError) as refused:
                call(bomb, compression=grpc.Compression.Gzip, timeout=60)
            self.assertEqual(refused.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
            self.assertIn("expands to more than 67108864 bytes", refused.exception.details())
        self.assertLess(peak_bytes(self.daemon.process), 400 * MEGABYTE)
        self.assertEqual(status_of(self.daemon.stub().ModelInfer, identity_request())[0],
                         grpc.StatusCode.OK)

    def test_bytes_that_are_no_message_are_refused(self):
        # Compressed data of what is no message; the algorithm is the client library's affair.
        code, details = status_of(
            lambda message, timeout: self.daemon.channel().unary_unary(
                "/inference.GRPCInferenceService/ModelInfer")(
                    message, timeout=timeout, compression=grpc.Compression.Gzip),
            b"\xff" * 5000)
        self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT, details)


class ConnectionTest(unittest.TestCase):

    def test_compressed_requests_are_refused_unless_allowed(self):
        with Daemon(fill) as daemon:
            client = daemon.client()
            with self.assertRaisesRegex(Exception, "--allow-compressed-requests") as refused:
                client.infer("wide", [zeros_input()], compression_algorithm="gzip")
            self.assertIn("UNIMPLEMENTED", refused.exception.status())

    def test_old_connections_are_renewed_without_a_failure(self):
        with Daemon(fill, "--max-connection-age", "300ms", "--max-connection-age-grace",
                    "5") as daemon, Relay(daemon.grpc) as relay:
            stub = service.GRPCInferenceServiceStub(grpc.insecure_channel(relay.address))
            end = time.monotonic() + 2
            while time.monotonic() < end:
                code, details = status_of(stub.ModelInfer, identity_request())
                self.assertEqual(code, grpc.StatusCode.OK, details)
            self.assertGreater(relay.connections, 3)

    def test_an_age_of_zero_keeps_connections(self):
        with Daemon(fill, "--max-connection-age", "0") as daemon:
            self.assertTrue(daemon.client().is_server_live())

    def test_ping_floods_end_the_connection_and_steady_pings_do_not(self):
        with Daemon(fill, "--min-ping-interval", "200ms") as daemon:
            for interval, survives in ((0.25, True), (0.01, False)):
                with Http2(daemon.grpc) as connection:
                    self.assertEqual(connection.survives_pings(8, interval, time.sleep), survives)

    def test_bad_values_are_named(self):
        given = run_inferd("serve", "--model-repository", "/", "--keepalive-time", "0")
        self.assertEqual(given.returncode, 2)
        self.assertIn("--keepalive-time: expected at least 1 ms, got 0", given.stderr)


if __name__ == "__main__":
    unittest.main()
