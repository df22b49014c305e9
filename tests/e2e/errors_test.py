#!/usr/bin/env python3
"""Each class of wrong request gets its status code and a message that names what is wrong."""

import unittest

from e2e import models
from e2e.calls import identity_request, pack_bytes, request, status_of, tensor
from e2e.clients import grpc, np
from e2e.daemon import Daemon

Code = grpc.StatusCode
FLOATS = np.zeros((1, 16), np.float32).tobytes()


def fill(repository):
    models.save(repository, "identity", models.identity())
    models.save(repository, "text", models.identity(models.TensorProto.STRING, 2))
    models.save(repository, "half", models.identity(models.TensorProto.FLOAT16, 2))
    models.save(repository, "gather", models.gather())
    models.save(repository, "arithmetic", models.sum_and_difference())
    models.save(repository, "broken", b"no model")


def identity(inputs, raw=(), **fields):
    return request("identity", inputs, raw, **fields)


def typed(**contents):
    made = tensor("x", "FP32", [1, 16])
    for field, values in contents.items():
        getattr(made.contents, field).extend(values)
    return made


def with_parameter(name, **kind):
    message = identity_request()
    for field, given in kind.items():
        setattr(message.parameters[name], field, given)
    return message


X = tensor("x", "FP32", [1, 16])
BAD_REQUESTS = [
    # what is wrong, the request, words of the message
    ("no input", identity([]), "x"),
    (
        "missing second input",
        request("arithmetic", [tensor("a", "INT32", [1, 4])], [b"\0" * 16]),
        "b",
    ),
    ("unknown input", identity([X, tensor("z", "FP32", [1])], [FLOATS, b"\0" * 4]), "z"),
    ("duplicate input", identity([X, X], [FLOATS, FLOATS]), "x"),
    ("unknown output", identity([X], [FLOATS], outputs=["nothing"]), "nothing"),
    ("duplicate output", identity([X], [FLOATS], outputs=["y", "y"]), "y"),
    ("wrong type", identity([tensor("x", "INT32", [1, 16])], [FLOATS]), "FP32"),
    ("unknown type", identity([tensor("x", "FP99", [1, 16])], [FLOATS]), "FP99"),
    ("no type", identity([tensor("x", "", [1, 16])], [FLOATS]), "x"),
    ("wrong rank", identity([tensor("x", "FP32", [16])], [FLOATS]), "x"),
    ("wrong dimension", identity([tensor("x", "FP32", [1, 15])], [b"\0" * 60]), "16"),
    ("negative dimension", identity([tensor("x", "FP32", [-1, 16])], [FLOATS]), "-1"),
    ("very negative dimension", identity([tensor("x", "FP32", [-(1 << 63), 16])], [FLOATS]), "x"),
    ("overflowing dimensions", identity([tensor("x", "FP32", [1 << 62, 16])], [FLOATS]), "x"),
    (
        "product overflows to the right size",
        identity([tensor("x", "FP32", [(1 << 60) + 1, 16])], [FLOATS]),
        "x",
    ),
    ("many dimensions", identity([tensor("x", "FP32", [1] * 100_000)], [FLOATS]), "x"),
    ("too few bytes", identity([X], [FLOATS[:-1]]), "63"),
    ("too many bytes", identity([X], [FLOATS + b"\0"]), "65"),
    ("no bytes", identity([X], [b""]), "x"),
    ("no contents at all", identity([X]), "x"),
    ("surplus raw entries", identity([X], [FLOATS, FLOATS]), "raw"),
    ("raw and typed contents", identity([typed(fp32_contents=[0] * 16)], [FLOATS]), "x"),
    ("typed contents of another type", identity([typed(int_contents=[0] * 16)]), "x"),
    ("too few typed values", identity([typed(fp32_contents=[0] * 15)]), "15"),
    ("two typed contents", identity([typed(fp32_contents=[0] * 16, int_contents=[1])]), "x"),
    ("typed half floats", request("half", [tensor("x", "FP16", [1, 2])]), "x"),
    ("too many rows", identity_request(33), "32"),
    ("no rows", identity([tensor("x", "FP32", [0, 16])], [b""]), None),
    ("version that is no number", identity_request(version="newest"), "newest"),
    ("negative version", identity_request(version="-1"), "-1"),
    (
        "text cut short",
        request("text", [tensor("x", "BYTES", [1, 2])], [pack_bytes(b"a", b"b")[:-1]]),
        "x",
    ),
    (
        "text with too few elements",
        request("text", [tensor("x", "BYTES", [1, 2])], [pack_bytes(b"a")]),
        "x",
    ),
    (
        "text with too many elements",
        request("text", [tensor("x", "BYTES", [1, 2])], [pack_bytes(b"a", b"b", b"c")]),
        "x",
    ),
    (
        "text with a huge length",
        request("text", [tensor("x", "BYTES", [1, 2])], [b"\xff\xff\xff\xff" + b"a" * 20]),
        "x",
    ),
    (
        "index out of range",
        request("gather", [tensor("indices", "INT64", [1])], [np.int64([10]).tobytes()]),
        "10",
    ),
    (
        "far index",
        request("gather", [tensor("indices", "INT64", [1])], [np.int64([-(1 << 63)]).tobytes()]),
        None,
    ),
    ("reserved parameter", with_parameter("triton_unknown", bool_param=True), "triton_unknown"),
    ("priority of the wrong type", with_parameter("priority", string_param="high"), "priority"),
    ("timeout of the wrong type", with_parameter("timeout", string_param="soon"), "timeout"),
]


class ErrorsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(fill))
        cls.stub = cls.daemon.stub()

    def tearDown(self):
        self.assertIsNone(self.daemon.process.poll(), "the daemon died")
        sent = identity_request()
        self.assertEqual(
            self.stub.ModelInfer(sent).raw_output_contents[0], sent.raw_input_contents[0]
        )

    def test_bad_requests_are_invalid_arguments_and_name_what_is_wrong(self):
        for what, message, words in BAD_REQUESTS:
            with self.subTest(what):
                code, details = status_of(self.stub.ModelInfer, message)
                if what == "no rows" and code == Code.OK:
                    continue  # an empty batch has an empty answer
                self.assertEqual(code, Code.INVALID_ARGUMENT, details)
                self.assertTrue(details)
                if words is not None:
                    self.assertIn(words, details)
                self.assertLess(len(details), 2000)

    def test_unknown_model_or_version_is_not_found(self):
        for message in (
            request("nobody", [X], [FLOATS]),
            identity_request(version="7"),
            request("", [X], [FLOATS]),
            request("../identity", [X], [FLOATS]),
        ):
            code, details = status_of(self.stub.ModelInfer, message)
            self.assertIn(code, (Code.NOT_FOUND, Code.INVALID_ARGUMENT), details)
        code, details = status_of(self.stub.ModelInfer, request("nobody", [X], [FLOATS]))
        self.assertEqual(code, Code.NOT_FOUND)
        self.assertIn("nobody", details)

    def test_a_model_that_failed_to_load_is_unavailable_or_not_found(self):
        code, details = status_of(self.stub.ModelInfer, request("broken", [X], [FLOATS]))
        self.assertIn(code, (Code.UNAVAILABLE, Code.NOT_FOUND))
        self.assertIn("broken", details)

    def test_shared_memory_is_not_offered(self):
        made = tensor("x", "FP32", [1, 16])
        made.parameters["shared_memory_region"].string_param = "region"
        code, _ = status_of(self.stub.ModelInfer, identity([made]))
        self.assertIn(code, (Code.UNIMPLEMENTED, Code.INVALID_ARGUMENT))

    def test_bytes_that_are_no_message_are_refused(self):
        call = self.daemon.channel().unary_unary(
            "/inference.GRPCInferenceService/ModelInfer", lambda data: data, lambda data: data
        )
        random = np.random.default_rng(0)
        for size in (1, 10, 100, 10_000):
            for _ in range(25):
                code, _ = status_of(call, random.bytes(size))
                self.assertNotIn(code, (Code.UNAVAILABLE, Code.UNKNOWN, Code.DEADLINE_EXCEEDED))

    def test_names_that_are_no_text_are_refused_and_write_nothing_into_the_log(self):
        channel, before = self.daemon.channel(), self.daemon.log()
        for method in ("ModelInfer", "ModelMetadata", "RepositoryIndex"):
            call = channel.unary_unary(f"/inference.GRPCInferenceService/{method}")
            code, _ = status_of(call, b"\x0a\x02\xff\xfe")
            self.assertNotEqual(code, Code.OK)
        self.assertEqual(self.daemon.log(), before)

    def test_every_cut_of_a_good_message_is_survived(self):
        call = self.daemon.channel().unary_unary(
            "/inference.GRPCInferenceService/ModelInfer", lambda data: data, lambda data: data
        )
        message = identity_request(id="cut").SerializeToString()
        for length in range(len(message)):
            code, _ = status_of(call, message[:length])
            self.assertNotIn(code, (Code.UNAVAILABLE, Code.UNKNOWN), length)

    def test_messages_over_the_limit_are_refused(self):
        code, _ = status_of(self.stub.ModelInfer, identity([X], [b"\0" * (65 << 20)]))
        self.assertIn(code, (Code.RESOURCE_EXHAUSTED, Code.INVALID_ARGUMENT))

    def test_compressed_requests_are_refused(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.stub.ModelInfer(
                identity_request(32), compression=grpc.Compression.Gzip, timeout=10
            )
        self.assertEqual(caught.exception.code(), Code.UNIMPLEMENTED)

    def test_a_deadline_that_passed_is_said_so(self):
        with Daemon(lambda repository: models.save(repository, "slow", models.slow())) as daemon:
            stub = daemon.stub()
            message = request("slow", [tensor("x", "FP32", [64, 1024])], [b"\0" * (64 * 1024 * 4)])
            busy = [stub.ModelInfer.future(message) for _ in range(16)]
            code, _ = status_of(stub.ModelInfer, message, timeout=0.02)
            self.assertEqual(code, Code.DEADLINE_EXCEEDED)
            for call in busy:
                call.result(timeout=120)

    def test_a_full_queue_is_resource_exhausted(self):
        with Daemon(
            lambda repository: models.save(repository, "slow", models.slow()),
            "--max-queue-requests",
            "2",
            "--core-slots",
            "1",
        ) as daemon:
            stub = daemon.stub()
            message = request("slow", [tensor("x", "FP32", [64, 1024])], [b"\0" * (64 * 1024 * 4)])
            calls = [stub.ModelInfer.future(message) for _ in range(24)]
            codes = [call.code() for call in calls]
            self.assertEqual(set(codes), {Code.OK, Code.RESOURCE_EXHAUSTED})
            details = next(call.details() for call in calls if call.code() != Code.OK)
            self.assertIn("slow", details)


if __name__ == "__main__":
    unittest.main()
