#!/usr/bin/env python3
"""Inference: every element type, raw and typed contents, rows, outputs, ids."""

import queue
import unittest

from e2e import models
from e2e.calls import identity_request, pack_bytes, request, tensor
from e2e.clients import grpc, ml_dtypes, np, triton
from e2e.daemon import Daemon


def fill(repository):
    models.save(repository, "identity", models.identity())
    models.save(repository, "types", models.every_type())
    models.save(repository, "arithmetic", models.sum_and_difference())
    models.save(repository, "text", models.identity(models.TensorProto.STRING, 2))
    for version in ("1", "3"):
        models.save(repository, "versions", models.identity(), version)


class InferTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(fill))
        cls.client = cls.daemon.client()
        cls.stub = cls.daemon.stub()

    def test_every_type_comes_back_as_it_was(self):
        random = np.random.default_rng(0)
        inputs, expected = [], {}
        for _, name, kind in models.DATATYPES:
            if name == "BYTES":
                data = np.array(
                    [[b"", b"a\0b", "gr\u00fc\u00df".encode()], [b"x" * 300, b"1", b"2"]],
                    dtype=np.object_,
                )
            elif name == "BF16":
                data = random.integers(-100, 100, (2, 3)).astype(ml_dtypes.bfloat16)
            elif name == "BOOL":
                data = random.integers(0, 2, (2, 3)).astype(np.bool_)
            else:
                data = random.integers(0, 100, (2, 3)).astype(kind)
            inputs.append(triton.InferInput(f"x_{name}", [2, 3], name))
            inputs[-1].set_data_from_numpy(data)
            expected[f"y_{name}"] = data
        answer = self.client.infer("types", inputs)
        for name, data in expected.items():
            np.testing.assert_array_equal(answer.as_numpy(name), data, name)

    def test_not_a_number_infinities_and_negative_zero_survive(self):
        data = np.zeros((1, 16), np.float32)
        data[0, :4] = [np.nan, np.inf, -np.inf, -0.0]
        answer = self.stub.ModelInfer(
            request("identity", [tensor("x", "FP32", [1, 16])], [data.tobytes()])
        )
        self.assertEqual(answer.raw_output_contents[0], data.tobytes())

    def test_typed_contents_are_understood(self):
        fields = {
            "INT32": "int_contents",
            "BOOL": "bool_contents",
            "INT8": "int_contents",
            "INT16": "int_contents",
            "INT64": "int64_contents",
            "UINT8": "uint_contents",
            "UINT16": "uint_contents",
            "UINT32": "uint_contents",
            "UINT64": "uint64_contents",
            "FP32": "fp32_contents",
            "FP64": "fp64_contents",
            "BYTES": "bytes_contents",
        }
        with Daemon(
            lambda repository: [
                models.save(repository, f"only_{name}", models.identity(kind, 3))
                for kind, name, _ in models.DATATYPES
                if name in fields
            ]
        ) as daemon:
            stub = daemon.stub()
            for _, name, kind in models.DATATYPES:
                if name not in fields:
                    continue
                values = [b"a", b"", b"b\0c"] if name == "BYTES" else [1, 0, 1]
                made = tensor("x", name, [1, 3])
                getattr(made.contents, fields[name]).extend(values)
                answer = stub.ModelInfer(request(f"only_{name}", [made]))
                raw = pack_bytes(*values) if name == "BYTES" else np.array(values, kind).tobytes()
                self.assertEqual(answer.raw_output_contents[0], raw, name)

    def test_rows_are_kept_in_order(self):
        for rows in (1, 2, 7, 32):
            sent = identity_request(rows)
            answer = self.stub.ModelInfer(sent)
            self.assertEqual(list(answer.outputs[0].shape), [rows, 16])
            self.assertEqual(answer.raw_output_contents[0], sent.raw_input_contents[0])

    def test_many_requests_at_once_get_their_own_rows(self):
        calls = []
        for i in range(300):
            rows = 1 + i % 3
            data = np.full((rows, 16), i, np.float32)
            calls.append(
                (
                    data,
                    self.stub.ModelInfer.future(
                        request(
                            "identity",
                            [tensor("x", "FP32", [rows, 16])],
                            [data.tobytes()],
                            id=str(i),
                        )
                    ),
                )
            )
        for i, (data, call) in enumerate(calls):
            answer = call.result(timeout=60)
            self.assertEqual(answer.id, str(i))
            self.assertEqual(answer.raw_output_contents[0], data.tobytes())

    def test_all_outputs_or_only_those_asked_for_in_that_order(self):
        a = np.array([[1, 2, 3, 4]], np.int32)
        b = np.array([[10, 20, 30, 40]], np.int32)
        inputs = [tensor("b", "INT32", [1, 4]), tensor("a", "INT32", [1, 4])]  # any order
        raw = [b.tobytes(), a.tobytes()]
        answer = self.stub.ModelInfer(request("arithmetic", inputs, raw))
        self.assertEqual([o.name for o in answer.outputs], ["sum", "difference"])
        self.assertEqual(answer.raw_output_contents[0], (a + b).tobytes())
        self.assertEqual(answer.raw_output_contents[1], (a - b).tobytes())
        for outputs in (["difference"], ["difference", "sum"]):
            answer = self.stub.ModelInfer(request("arithmetic", inputs, raw, outputs=outputs))
            self.assertEqual([o.name for o in answer.outputs], outputs)
            self.assertEqual(len(answer.raw_output_contents), len(outputs))
            self.assertEqual(answer.raw_output_contents[0], (a - b).tobytes())

    def test_id_model_and_resolved_version_are_in_the_answer(self):
        for version, expected in (("", "3"), ("3", "3")):
            message = identity_request(id="call-7", version=version)
            message.model_name = "versions"
            answer = self.stub.ModelInfer(message)
            self.assertEqual(
                (answer.id, answer.model_name, answer.model_version),
                ("call-7", "versions", expected),
            )

    def test_text_with_zeros_and_beyond_ascii_is_kept(self):
        raw = pack_bytes(b"\0", "\u4f60\u597d".encode())
        answer = self.stub.ModelInfer(request("text", [tensor("x", "BYTES", [1, 2])], [raw]))
        self.assertEqual(answer.raw_output_contents[0], raw)

    def test_parameters_that_clients_always_send_are_accepted(self):
        message = identity_request()
        message.parameters["triton_enable_empty_final_response"].bool_param = True
        message.parameters["priority"].uint64_param = 0
        message.parameters["timeout"].int64_param = 10_000_000
        message.parameters["my_own"].string_param = "x"
        self.stub.ModelInfer(message)

    def test_asynchronous_client_calls_work(self):
        data = triton.InferInput("x", [1, 16], "FP32")
        data.set_data_from_numpy(np.ones((1, 16), np.float32))
        answers = queue.Queue()
        self.client.async_infer(
            "identity", [data], lambda result, error: answers.put((result, error))
        )
        result, error = answers.get(timeout=30)
        self.assertIsNone(error)
        self.assertEqual(result.as_numpy("y").sum(), 16)

    def test_a_large_request_goes_through(self):
        with Daemon(
            lambda repository: models.save(repository, "identity", models.identity(width=1 << 20))
        ) as daemon:
            data = np.random.default_rng(0).standard_normal((4, 1 << 20)).astype(np.float32)
            answer = daemon.stub().ModelInfer(
                request("identity", [tensor("x", "FP32", [4, 1 << 20])], [data.tobytes()]),
                timeout=60,
            )
            self.assertEqual(answer.raw_output_contents[0], data.tobytes())

    def test_a_cancelled_call_leaves_the_daemon_serving(self):
        call = self.stub.ModelInfer.future(identity_request())
        call.cancel()
        self.assertIn(call.code(), (grpc.StatusCode.CANCELLED, grpc.StatusCode.OK))
        self.stub.ModelInfer(identity_request())


if __name__ == "__main__":
    unittest.main()
