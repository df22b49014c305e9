#!/usr/bin/env python3
"""ModelStreamInfer: order, errors inside the stream, limits, cancelling and the drain."""

import queue
import signal
import threading
import time
import unittest

from e2e import models
from e2e.calls import identity_request, request, tensor
from e2e.clients import grpc, np, triton
from e2e.daemon import Daemon

REQUESTS = 300
OUTSTANDING = 64
WAIT_SECONDS = 30


def fill(repository):
    models.save(repository, "identity", models.identity())
    models.save(repository, "gather", models.gather())


def wrong_shape(**fields):
    return request("identity", [tensor("x", "FP32", [1, 3])], [bytes(12)], **fields)


class Sender:
    """Requests for a call that are sent one by one, until closed."""

    def __init__(self):
        self._requests = queue.SimpleQueue()

    def send(self, message):
        self._requests.put(message)

    def close(self):
        self._requests.put(None)

    def __iter__(self):
        return iter(self._requests.get, None)


class StreamTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(fill))
        cls.stub = cls.daemon.stub()

    def stream(self, requests, **keywords):
        return self.stub.ModelStreamInfer(iter(requests), timeout=WAIT_SECONDS, **keywords)

    def test_replies_come_in_the_order_of_the_requests(self):
        requests = [identity_request(1 + i % 4, id=str(i)) for i in range(REQUESTS)]
        replies = list(self.stream(requests))
        self.assertEqual([reply.infer_response.id for reply in replies],
                         [str(i) for i in range(REQUESTS)])
        for i, reply in enumerate(replies):
            self.assertEqual(reply.error_message, "")
            self.assertEqual(reply.infer_response.raw_output_contents,
                             requests[i].raw_input_contents)
            self.assertTrue(
                reply.infer_response.parameters["triton_final_response"].bool_param)

    def test_a_failed_request_is_answered_in_its_place_and_the_stream_goes_on(self):
        requests = [identity_request(id="a"), wrong_shape(id="b"), identity_request(id="c"),
                    request("nobody", [], id="d"), identity_request(id="e")]
        replies = list(self.stream(requests))
        self.assertEqual([reply.infer_response.id for reply in replies], list("abcde"))
        self.assertEqual([bool(reply.error_message) for reply in replies],
                         [False, True, False, True, False])
        self.assertIn("[request id: b]", replies[1].error_message)
        self.assertIn("'nobody'", replies[3].error_message)

    def test_the_first_failure_ends_the_stream_where_the_client_asks_for_it(self):
        sender = Sender()
        for message in (identity_request(id="a"), wrong_shape(id="b"), identity_request(id="c")):
            sender.send(message)
        call = self.stream(sender, metadata=[("triton_grpc_error", "true")])
        self.assertEqual(next(call).infer_response.id, "a")
        # The client has not closed its side.
        with self.assertRaises(grpc.RpcError) as raised:
            next(call)
        sender.close()
        self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("[request id: b]", raised.exception.details())

    def test_bytes_that_are_no_request_are_an_error_in_the_stream(self):
        call = self.daemon.channel().stream_stream(
            "/inference.GRPCInferenceService/ModelStreamInfer")
        replies = list(call(iter([b"\xff\xff\xff"]), timeout=WAIT_SECONDS))
        self.assertEqual(len(replies), 1)
        self.assertIn(b"request", replies[0])

    def test_a_request_can_wait_for_the_reply_before_it(self):
        sender = Sender()
        call = self.stream(sender)
        for i in range(20):
            sender.send(identity_request(id=str(i)))
            self.assertEqual(next(call).infer_response.id, str(i))
        sender.close()
        self.assertEqual(list(call), [])

    def test_an_empty_stream_ends_well(self):
        self.assertEqual(list(self.stream([])), [])

    def test_a_hundred_streams_run_at_once(self):
        failures = []

        def run(number):
            requests = [identity_request(1 + k % 3, id=f"{number}.{k}") for k in range(20)]
            replies = [reply.infer_response.id for reply in self.stream(requests)]
            if replies != [message.id for message in requests]:
                failures.append(number)

        threads = [threading.Thread(target=run, args=(i,)) for i in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_a_client_that_does_not_read_is_not_read_from(self):
        # Each reply is as large as its request: what the server may hold is 64 of them and what the
        # transport buffers, far below all of it.
        rows = 512
        taken = 0
        total = 100_000
        big = identity_request(1, id="x")
        big.inputs[0].shape[0] = 32
        big.raw_input_contents[0] = bytes(32 * 16 * 4)
        done = threading.Event()

        def endless():
            nonlocal taken
            for _ in range(total):
                if done.is_set():
                    return
                taken += 1
                yield big

        call = self.stub.ModelStreamInfer(endless(), timeout=WAIT_SECONDS)
        next(call)
        before = 0
        while taken > before:
            before = taken
            time.sleep(1)
        inflight = self.daemon.metrics()["inferd_inflight_request_bytes"]
        done.set()
        self.assertTrue(call.is_active())
        call.cancel()
        self.assertLess(taken, total, "the server reads on though nobody takes its replies")
        self.assertLessEqual(inflight, (OUTSTANDING + 1) * 4 * rows * 4)

    def test_a_cancelled_stream_leaves_nothing_in_flight(self):
        sender = Sender()
        call = self.stream(sender)
        for i in range(10):
            sender.send(identity_request(32, id=str(i)))
        next(call)
        call.cancel()
        sender.close()
        deadline = time.monotonic() + WAIT_SECONDS
        while self.daemon.metrics()["inferd_inflight_request_bytes"] > 0:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_the_python_client_streams(self):
        client = self.daemon.client()
        results = queue.SimpleQueue()
        client.start_stream(callback=lambda result, error: results.put((result, error)))
        data = np.ones((2, 16), np.float32)
        given = triton.InferInput("x", list(data.shape), "FP32")
        given.set_data_from_numpy(data)
        for i in range(5):
            client.async_stream_infer("identity", [given], request_id=str(i),
                                      enable_empty_final_response=True)
        for i in range(5):
            result, error = results.get(timeout=WAIT_SECONDS)
            self.assertIsNone(error)
            self.assertEqual(result.get_response().id, str(i))
            np.testing.assert_array_equal(result.as_numpy("y"), data)
        client.stop_stream()


class StreamDrainTest(unittest.TestCase):

    def test_a_drain_answers_what_was_accepted_and_refuses_the_rest(self):
        with Daemon(fill, "--drain-delay", "1") as daemon:
            sender = Sender()
            call = daemon.stub().ModelStreamInfer(iter(sender), timeout=WAIT_SECONDS)
            sender.send(identity_request(id="before"))
            self.assertEqual(next(call).infer_response.id, "before")
            daemon.process.send_signal(signal.SIGTERM)
            sender.send(identity_request(id="draining"))
            self.assertEqual(next(call).error_message, "")
            # An idle stream does not hold the server up.
            self.assertEqual(daemon.process.wait(WAIT_SECONDS), 0)
            sender.close()
            with self.assertRaises(grpc.RpcError) as raised:
                next(call)
            self.assertIn(raised.exception.code(),
                          (grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE))


if __name__ == "__main__":
    unittest.main()
