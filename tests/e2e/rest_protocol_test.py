#!/usr/bin/env python3
"""Metadata, statistics, repository, logging and generate over REST: the same as over gRPC."""

import json
import os
import unittest

from google.protobuf import json_format

from e2e import models
from e2e.clients import np, triton
from e2e.daemon import Daemon
from e2e.rest import ask, client, given, triton_http

CONFIG = "max_batch_size: 8\nversion_policy { all {} }\n"


def fill(repository):
    models.save(repository, "identity", models.identity())
    models.save(repository, "arithmetic", models.sum_and_difference())
    models.save(repository, "text", models.identity(models.TensorProto.STRING, 2))
    models.save(repository, "two", models.identity(), "1")
    models.save(repository, "two", models.identity(), "2", CONFIG)
    models.save(repository, "broken", b"no model")


def numbers(value):
    """Protobuf's JSON has 64-bit numbers as text: as numbers, so that both can be compared."""
    if isinstance(value, dict):
        return {name: numbers(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [numbers(entry) for entry in value]
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return value


def without_empty(value):
    """Fields that one of the two sides does not know are empty in these models."""
    if isinstance(value, dict):
        kept = {name: without_empty(entry) for name, entry in value.items()}
        return {name: entry for name, entry in kept.items() if entry not in (0, "", False, [], {})}
    if isinstance(value, list):
        return [without_empty(entry) for entry in value]
    return value


class RestProtocolTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(fill))
        cls.client = client(cls.daemon)
        cls.grpc = cls.daemon.client()

    def check_same(self, rest, message):
        over_grpc = json_format.MessageToDict(message, preserving_proto_field_name=True,
                                              always_print_fields_with_no_presence=True)
        self.assertEqual(without_empty(numbers(rest)), without_empty(numbers(over_grpc)))

    def test_health_is_as_the_client_expects_it(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("identity"))
        self.assertTrue(self.client.is_model_ready("two", "2"))
        self.assertFalse(self.client.is_model_ready("broken"))
        self.assertFalse(self.client.is_model_ready("nobody"))

    def test_metadata_and_config_are_those_of_grpc(self):
        self.check_same(self.client.get_server_metadata(), self.grpc.get_server_metadata())
        for name, version in (("arithmetic", ""), ("two", ""), ("two", "1"), ("text", "")):
            self.check_same(self.client.get_model_metadata(name, version),
                            self.grpc.get_model_metadata(name, version))
            self.check_same(self.client.get_model_config(name, version),
                            self.grpc.get_model_config(name, version).config)
        config = self.client.get_model_config("two")
        self.assertEqual(config["max_batch_size"], 8)
        self.assertEqual(config["input"][0]["dims"], [16])
        self.assertEqual(config["input"][0]["data_type"], "TYPE_FP32")

    def test_statistics_are_those_of_grpc(self):
        data = np.zeros((3, 16), np.float32)
        self.client.infer("identity", [given("x", data, "FP32")])
        statistics = self.client.get_inference_statistics("identity")
        self.check_same(statistics, self.grpc.get_inference_statistics("identity"))
        model = statistics["model_stats"][0]
        self.assertGreaterEqual(model["inference_count"], 3)
        self.assertGreater(model["inference_stats"]["success"]["ns"], 0)
        everything = self.client.get_inference_statistics()
        self.assertLessEqual({"identity", "two"}, {m["name"] for m in everything["model_stats"]})
        one = self.client.get_inference_statistics("two", "2")
        self.assertEqual([m["version"] for m in one["model_stats"]], ["2"])

    def test_the_index_is_that_of_grpc(self):
        index = self.client.get_model_repository_index()
        self.check_same({"models": index}, self.grpc.get_model_repository_index())
        ready = ask(self.daemon, "POST", "/v2/repository/index", {"ready": True}).json()
        self.assertNotIn("broken", {model["name"] for model in ready})
        self.assertEqual(ask(self.daemon, "POST", "/v2/repository/other/index").status, 501)

    def test_unknown_names_are_not_found(self):
        for path in ("/v2/models/nobody", "/v2/models/nobody/config", "/v2/models/nobody/stats",
                     "/v2/models/identity/versions/9"):
            reply = ask(self.daemon, "GET", path)
            self.assertEqual(reply.status, 404)
            self.assertRegex(reply.error(), "nobody|identity")
        self.assertEqual(ask(self.daemon, "GET", "/v2/models/identity/versions/x").status, 400)

    def test_log_settings_change_and_are_shown(self):
        before = self.client.get_log_settings()
        self.assertEqual(before["log_verbose_level"], 0)
        changed = self.client.update_log_settings({"log_verbose_level": 1, "log_format": "json"})
        self.assertEqual((changed["log_verbose_level"], changed["log_format"]), (1, "json"))
        self.assertEqual(self.client.get_log_settings(), changed)
        self.client.update_log_settings(
            {"log_verbose_level": 0, "log_format": before["log_format"]}
        )
        for body in ({"log_nothing": True}, {"log_info": 1}, {"log_info": None}, {"log_file": "x"},
                     {"log_verbose_level": -1}, []):
            self.assertEqual(ask(self.daemon, "POST", "/v2/logging", body).status, 400, body)
        self.assertEqual(self.client.get_log_settings(), before)

    def test_generate_takes_inputs_by_their_names(self):
        reply = ask(self.daemon, "POST", "/v2/models/text/generate",
                    {"x": ["hello", "gr\u00fc\u00df"], "parameters": {"temperature": 0.5}})
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.json(), {"model_name": "text", "model_version": "1",
                                        "y": ["hello", "gr\u00fc\u00df"]})
        reply = ask(self.daemon, "POST", "/v2/models/identity/versions/1/generate",
                    {"id": "g", "x": list(range(32))})
        self.assertEqual((reply.json()["id"], len(reply.json()["y"])), ("g", 32))

    def test_a_generate_stream_is_an_event(self):
        reply = ask(self.daemon, "POST", "/v2/models/text/generate_stream", {"x": ["a", "b"]})
        self.assertEqual(reply.headers["content-type"], "text/event-stream; charset=utf-8")
        self.assertTrue(reply.body.startswith(b"data: ") and reply.body.endswith(b"\n\n"))
        self.assertEqual(json.loads(reply.body[6:])["y"], ["a", "b"])

    def test_wrong_generate_requests_are_named(self):
        for path, body, status, words in (
            ("text", {"x": ["a"]}, 400, "do not fit"),
            ("text", {"x": [1, 2]}, 400, "BYTES"),
            ("text", {"y": "a"}, 400, "'x'"),
            ("text", {"x": ["a", "b"], "z": [1]}, 400, "'z'"),
            ("nobody", {"x": "a"}, 404, "nobody"),
        ):
            for ending in ("generate", "generate_stream"):
                reply = ask(self.daemon, "POST", f"/v2/models/{path}/{ending}", body)
                self.assertEqual(reply.status, status, reply.body)
                self.assertIn(words, reply.error())

    def test_model_control_obeys_the_mode(self):
        for action in ("load", "unload"):
            reply = ask(self.daemon, "POST", f"/v2/repository/models/identity/{action}", {})
            self.assertEqual(reply.status, 503)
            self.assertIn("explicit", reply.error())

    def test_shared_memory_and_tracing_that_are_off_say_so(self):
        reply = ask(self.daemon, "GET", "/v2/systemsharedmemory/status")
        self.assertEqual(reply.status, 501)
        self.assertEqual(self.client.get_cuda_shared_memory_status(), [])
        self.assertEqual(self.client.get_trace_settings()["trace_level"], ["OFF"])
        reply = ask(self.daemon, "POST", "/v2/trace/setting", {"trace_rate": "1"})
        self.assertEqual(reply.status, 501)


class RestModelControlTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(
            Daemon(fill, "--model-control-mode", "explicit", "--load-model", "identity")
        )
        cls.client = client(cls.daemon)

    def test_models_are_loaded_and_unloaded(self):
        self.assertFalse(self.client.is_model_ready("arithmetic"))
        self.client.load_model("arithmetic")
        self.assertTrue(self.client.is_model_ready("arithmetic"))
        self.client.unload_model("arithmetic")
        self.assertFalse(self.client.is_model_ready("arithmetic"))

    def test_a_load_may_bring_config_and_files(self):
        self.client.load_model("identity", config='{"max_batch_size": 5}')
        self.assertEqual(self.client.get_model_config("identity")["max_batch_size"], 5)
        content = models.identity(width=4).SerializeToString()
        self.client.load_model("brought", config="{}", files={"file:1/model.onnx": content})
        shape = self.client.get_model_metadata("brought")["inputs"][0]["shape"]
        self.assertEqual(shape, [-1, 4])

    def test_failures_are_those_of_grpc(self):
        over_grpc = self.daemon.client()
        for name, fields in (("nobody", {}), ("broken", {}), ("identity", {"config": "{"})):
            with self.assertRaises(triton.InferenceServerException) as raised:
                over_grpc.load_model(name, **fields)
            reply = ask(self.daemon, "POST", f"/v2/repository/models/{name}/load",
                        {"parameters": fields})
            self.assertIn(reply.status, (400, 404), reply.body)
            self.assertEqual(reply.error(), raised.exception.message())
        for body in ({"parameters": {"other": "x"}}, {"parameters": {"config": 1}},
                     {"parameters": {"file:1/model.onnx": "no base64!"}}, {"parameters": 1}, []):
            reply = ask(self.daemon, "POST", "/v2/repository/models/identity/load", body)
            self.assertEqual(reply.status, 400, reply.body)
        self.assertTrue(self.client.is_model_ready("identity"))


class RestSharedMemoryTest(unittest.TestCase):

    def test_tensors_lie_in_shared_memory(self):
        import tritonclient.utils.shared_memory as memory

        data = np.arange(32, dtype=np.float32).reshape(2, 16)
        with Daemon(fill, "--shared-memory") as daemon:
            server = client(daemon)
            key = f"/inferd-rest-test-{os.getpid()}"
            region = memory.create_shared_memory_region("region", key, 2 * data.nbytes)
            try:
                memory.set_shared_memory_region(region, [data])
                server.register_system_shared_memory("region", key, 2 * data.nbytes)
                self.assertEqual(server.get_system_shared_memory_status(),
                                 [{"name": "region", "key": key, "offset": 0,
                                   "byte_size": 2 * data.nbytes}])
                given_x = triton_http.InferInput("x", list(data.shape), "FP32")
                given_x.set_shared_memory("region", data.nbytes)
                wanted = triton_http.InferRequestedOutput("y")
                wanted.set_shared_memory("region", data.nbytes, offset=data.nbytes)
                answer = server.infer("identity", [given_x], outputs=[wanted])
                self.assertEqual(answer.get_output("y")["shape"], [2, 16])
                back = memory.get_contents_as_numpy(region, np.float32, [4, 16])
                np.testing.assert_array_equal(back, np.concatenate([data, data]))
                server.unregister_system_shared_memory()
                self.assertEqual(server.get_system_shared_memory_status(), [])
            finally:
                memory.destroy_shared_memory_region(region)


if __name__ == "__main__":
    unittest.main()
