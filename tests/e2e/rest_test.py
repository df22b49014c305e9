#!/usr/bin/env python3
"""Inference over REST: every type as JSON and as binary data, compression, errors as over gRPC."""

import asyncio
import json
import threading
import unittest

from e2e import models
from e2e.calls import identity_request, request, status_of, tensor
from e2e.clients import grpc, ml_dtypes, np
from e2e.daemon import Daemon
from e2e.rest import ask, client, given, infer_json, triton_aio, triton_http

FLOATS = np.zeros((1, 16), np.float32)
BINARY_ONLY = ("FP16", "BF16")
HTTP_CODES = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.UNIMPLEMENTED: 501,
}


def fill(repository):
    models.save(repository, "identity", models.identity())
    models.save(repository, "types", models.every_type())
    models.save(repository, "arithmetic", models.sum_and_difference())
    models.save(repository, "text", models.identity(models.TensorProto.STRING, 2))
    models.save(repository, "half", models.identity(models.TensorProto.FLOAT16, 2))
    models.save(repository, "broken", b"no model")
    for kind, name, _ in models.DATATYPES:
        models.save(repository, f"only_{name}", models.identity(kind, 3))
    for version in ("1", "3"):
        models.save(repository, "versions", models.identity(), version)


def example(name, kind):
    random = np.random.default_rng(0)
    if name == "BYTES":
        return np.array(
            [[b"", b"a\0b", "gr\u00fc\u00df".encode()], [b"x" * 300, b"1", b"2"]], np.object_
        )
    if name == "BF16":
        return random.integers(-100, 100, (2, 3)).astype(ml_dtypes.bfloat16)
    if name == "BOOL":
        return random.integers(0, 2, (2, 3)).astype(np.bool_)
    if name.startswith("FP"):
        return random.standard_normal((2, 3)).astype(kind)
    limits = np.iinfo(kind)
    return np.array([[limits.min, limits.max, 0], [1, 2, 3]], kind)


class RestTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(fill))
        cls.client = client(cls.daemon, concurrency=4)
        cls.stub = cls.daemon.stub()

    def tearDown(self):
        self.assertIsNone(self.daemon.process.poll(), "the daemon died")

    def test_every_type_comes_back_as_binary_data(self):
        inputs, expected = [], {}
        for _, name, kind in models.DATATYPES:
            data = example(name, kind)
            inputs.append(given(f"x_{name}", data, name))
            expected[f"y_{name}"] = data
        answer = self.client.infer("types", inputs)
        for name, data in expected.items():
            np.testing.assert_array_equal(answer.as_numpy(name), data, name)

    def test_every_type_that_json_can_carry_comes_back_as_json(self):
        for _, name, kind in models.DATATYPES:
            data = example(name, kind)
            for binary_in, binary_out in ((False, False), (True, False), (False, True)):
                if name in BINARY_ONLY:
                    continue
                with self.subTest(name, binary_in=binary_in, binary_out=binary_out):
                    answer = self.client.infer(
                        f"only_{name}",
                        [given("x", data, name, binary_in)],
                        outputs=[triton_http.InferRequestedOutput("y", binary_data=binary_out)],
                    )
                    back = answer.as_numpy("y")
                    if name == "BYTES" and not binary_out:
                        back = np.array([text.encode() for text in back.ravel()], np.object_)
                        back = back.reshape(data.shape)
                    np.testing.assert_array_equal(back, data)

    def test_half_floats_are_binary_data_only(self):
        body = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP16", "data": [1, 2]}]}
        reply = ask(self.daemon, "POST", "/v2/models/half/infer", body)
        self.assertEqual(reply.status, 400)
        self.assertIn("input 'x'", reply.error())
        data = np.ones((1, 2), np.float16)
        with self.assertRaisesRegex(triton_http.InferenceServerException, "binary data"):
            self.client.infer(
                "half",
                [given("x", data, "FP16")],
                outputs=[triton_http.InferRequestedOutput("y", binary_data=False)],
            )

    def test_not_a_number_and_infinities_survive_json(self):
        body = infer_json()
        body["inputs"][0]["data"][0][:3] = [float("nan"), float("inf"), float("-inf")]
        reply = ask(self.daemon, "POST", "/v2/models/identity/infer", body)
        self.assertEqual(reply.status, 200, reply.body)
        np.testing.assert_array_equal(
            reply.json()["outputs"][0]["data"], np.ravel(body["inputs"][0]["data"])
        )

    def test_compression_works_both_ways(self):
        data = np.zeros((32, 16), np.float32)
        for name in ("gzip", "deflate"):
            for binary in (True, False):
                with self.subTest(name, binary=binary):
                    answer = self.client.infer(
                        "identity",
                        [given("x", data, "FP32", binary)],
                        outputs=[triton_http.InferRequestedOutput("y", binary_data=binary)],
                        request_compression_algorithm=name,
                        response_compression_algorithm=name,
                    )
                    np.testing.assert_array_equal(answer.as_numpy("y"), data)
        reply = ask(self.daemon, "POST", "/v2/models/identity/infer", infer_json(32),
                    {"Accept-Encoding": "gzip"})
        self.assertEqual(reply.headers["content-encoding"], "gzip")

    def test_the_client_asks_asynchronously(self):
        calls = [
            self.client.async_infer(
                "identity", [given("x", np.full((1, 16), i, np.float32), "FP32")]
            )
            for i in range(20)
        ]
        for i, call in enumerate(calls):
            self.assertEqual(call.get_result().as_numpy("y")[0, 0], i)

    def test_the_asyncio_client_works(self):
        async def run():
            async with triton_aio.InferenceServerClient(self.daemon.addresses["http"]) as server:
                inputs = [given("x", FLOATS, "FP32", module=triton_aio)]
                answers = await asyncio.gather(
                    *[server.infer("identity", inputs, request_id=str(i)) for i in range(20)]
                )
                return [answer.get_response()["id"] for answer in answers]

        self.assertEqual(asyncio.run(run()), [str(i) for i in range(20)])

    def test_id_version_and_outputs_are_as_asked_for(self):
        body = infer_json(id="call-7")
        for path, version in (("versions", "3"), ("versions/versions/3", "3")):
            answer = ask(self.daemon, "POST", f"/v2/models/{path}/infer", body).json()
            self.assertEqual((answer["id"], answer["model_name"], answer["model_version"]),
                             ("call-7", "versions", version))
        row = np.array([[1, 2, 3, 4]], np.int32)
        answer = self.client.infer(
            "arithmetic",
            [given("b", row, "INT32"), given("a", row * 10, "INT32", binary=False)],
            outputs=[
                triton_http.InferRequestedOutput("difference", binary_data=False),
                triton_http.InferRequestedOutput("sum"),
            ],
        )
        self.assertEqual([o["name"] for o in answer.get_response()["outputs"]],
                         ["difference", "sum"])
        np.testing.assert_array_equal(answer.as_numpy("difference"), row * 9)
        np.testing.assert_array_equal(answer.as_numpy("sum"), row * 11)

    def test_parameters_mean_what_they_mean_over_grpc(self):
        self.client.infer("identity", [given("x", FLOATS, "FP32")], priority=1,
                          timeout=10_000_000, parameters={"mine": "x", "count": 3})
        for name, value in (("priority", "high"), ("timeout", -1), ("triton_unknown", True),
                            ("sequence_id", 5)):
            message = identity_request()
            kind = {str: "string_param", bool: "bool_param", int: "int64_param"}[type(value)]
            setattr(message.parameters[name], kind, value)
            reply = ask(self.daemon, "POST", "/v2/models/identity/infer",
                        infer_json(parameters={name: value}))
            self.check_same(message, reply)

    def check_same(self, message, reply):
        """The reply has the status and the words that gRPC has for `message`."""
        code, details = status_of(self.stub.ModelInfer, message)
        self.assertEqual(reply.status, HTTP_CODES[code], (reply.body, details))
        if code != grpc.StatusCode.OK:
            self.assertEqual(reply.error(), details)

    def test_errors_are_those_of_grpc(self):
        def rest(model="identity", **changes):
            body = infer_json(outputs=changes.pop("outputs", []))
            body["inputs"][0].update(changes)
            return ask(self.daemon, "POST", f"/v2/models/{model}/infer", body)

        x = tensor("x", "FP32", [1, 16])
        raw = [np.arange(16, dtype=np.float32).tobytes()]
        cases = [
            (request("nobody", [x], raw), rest("nobody")),
            (request("broken", [x], raw), rest("broken")),
            (request("identity", [x], raw, version="9"), rest("identity/versions/9")),
            (request("identity", [x], raw, version="new"), rest("identity/versions/new")),
            (request("identity", [tensor("z", "FP32", [1, 16])], raw), rest(name="z")),
            (request("identity", [tensor("x", "FP99", [1, 16])], raw), rest(datatype="FP99")),
            (request("identity", [tensor("x", "INT32", [1, 16])], raw), rest(
                datatype="INT32", data=list(range(16)))),
            (request("identity", [tensor("x", "FP32", [-1, 16])], raw), rest(shape=[-1, 16])),
            (request("identity", [tensor("x", "FP32", [4, 4])], raw), rest(shape=[4, 4],
                                                                         data=list(range(16)))),
            (request("identity", [x], raw, outputs=["nothing"]), rest(
                outputs=[{"name": "nothing"}])),
            (request("identity", [x], raw, outputs=["y", "y"]), rest(
                outputs=[{"name": "y"}, {"name": "y"}])),
            (request("arithmetic", [tensor("a", "INT32", [1, 4])], [bytes(16)]), rest(
                "arithmetic", name="a", datatype="INT32", shape=[1, 4], data=[0] * 4)),
        ]
        for message, reply in cases:
            with self.subTest(message.model_name + message.model_version, body=reply.body):
                self.check_same(message, reply)

    def test_wrong_bodies_are_named(self):
        for changes, words in (
            ({"data": [0] * 15}, ["input 'x'", "expected 16 elements", "got 15"]),
            ({"data": [[0] * 8, [0] * 8]}, ["input 'x'", "dimension 1"]),
            ({"data": [0] * 15 + ["a"]}, ["input 'x'", "element 15", "FP32"]),
            ({"data": [0] * 15 + [None]}, ["null"]),
            ({"shape": "1"}, ["shape"]),
            ({"parameters": {"binary_data_size": 64}, "data": [0]}, ["several"]),
        ):
            body = infer_json(id="r9")
            body["inputs"][0].update(changes)
            reply = ask(self.daemon, "POST", "/v2/models/identity/infer", body)
            self.assertEqual(reply.status, 400, reply.body)
            for word in ["[request id: r9]", "'identity'", *words]:
                self.assertIn(word, reply.error())

    def test_a_body_may_be_the_data_of_the_only_input(self):
        headers = {"Inference-Header-Content-Length": 0}
        data = np.arange(32, dtype=np.float32)
        path = "/v2/models/identity/infer"
        reply = ask(self.daemon, "POST", path, data.tobytes(), headers)
        self.assertEqual(reply.status, 200, reply.body)
        length = int(reply.headers["inference-header-content-length"])
        self.assertEqual(json.loads(reply.body[:length])["outputs"][0]["shape"], [2, 16])
        self.assertEqual(reply.body[length:], data.tobytes())
        for model, body, status in (("identity", b"abc", 400), ("identity", bytes(4), 400),
                                    ("arithmetic", bytes(16), 400), ("nobody", bytes(16), 404)):
            reply = ask(self.daemon, "POST", f"/v2/models/{model}/infer", body, headers)
            self.assertEqual(reply.status, status, reply.body)

    def test_every_cut_of_a_good_body_is_survived(self):
        json_part = json.dumps({"inputs": [{"name": "x", "shape": [1, 16], "datatype": "FP32",
                                            "parameters": {"binary_data_size": 64}}]}).encode()
        body = json_part + FLOATS.tobytes()
        headers = {"Inference-Header-Content-Length": len(json_part)}
        path = "/v2/models/identity/infer"
        self.assertEqual(ask(self.daemon, "POST", path, body, headers).status, 200)
        for length in range(len(body)):
            self.assertEqual(ask(self.daemon, "POST", path, body[:length], headers).status, 400)
        random = np.random.default_rng(0)
        for size in (1, 100, 10_000):
            for _ in range(20):
                self.assertEqual(ask(self.daemon, "POST", path, random.bytes(size)).status, 400)

    def test_sixty_four_clients_at_once_get_their_own_rows(self):
        failures = []

        def run(number):
            server = client(self.daemon)
            for i in range(20):
                data = np.full((1 + i % 3, 16), number * 100 + i, np.float32)
                answer = server.infer("identity", [given("x", data, "FP32", i % 2 == 0)])
                if not np.array_equal(answer.as_numpy("y"), data):
                    failures.append((number, i))

        threads = [threading.Thread(target=run, args=(i,)) for i in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(self.daemon.metrics()["inferd_inflight_request_bytes"], 0)

    def test_failures_are_counted(self):
        def failures():
            return sum(value for name, value in self.daemon.metrics().items()
                       if name.startswith("nv_inference_request_failure") and '"text"' in name)

        before = failures()
        body = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "BYTES", "data": [1, 2]}]}
        self.assertEqual(ask(self.daemon, "POST", "/v2/models/text/infer", body).status, 400)
        self.assertEqual(failures(), before + 1)


if __name__ == "__main__":
    unittest.main()
