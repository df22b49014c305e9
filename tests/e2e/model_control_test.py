#!/usr/bin/env python3
"""Loading and unloading models of a running daemon: by request and by polling."""

import json
import os
import shutil
import threading
import time
import unittest

from e2e import models
from e2e.calls import check_health, identity_request, status_of
from e2e.clients import grpc, messages, np, triton
from e2e.daemon import Daemon

WAIT_SECONDS = 30


def fill(repository):
    models.save(repository, "identity", models.identity())
    models.save(repository, "gather", models.gather())


def wait_until(condition):
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come about")
        time.sleep(0.02)


def states(client):
    index = client.get_model_repository_index().models
    return {(model.name, model.version): model.state for model in index}


class ExplicitTest(unittest.TestCase):

    def setUp(self):
        self.daemon = self.enterContext(
            Daemon(fill, "--model-control-mode", "explicit", "--load-model", "gather"))
        self.client = self.daemon.client()

    def test_the_client_loads_and_unloads(self):
        client = self.client
        self.assertTrue(client.is_server_ready())
        self.assertFalse(client.is_model_ready("identity"))
        client.load_model("identity")
        self.assertTrue(client.is_model_ready("identity"))
        self.assertEqual(check_health(self.daemon.channel(), "identity"), "SERVING")
        self.assertEqual(status_of(self.daemon.stub().ModelInfer, identity_request())[0],
                         grpc.StatusCode.OK)
        self.assertIn('nv_inference_count{model="identity",version="1"}', self.daemon.metrics())
        client.unload_model("identity", unload_dependents=True)
        wait_until(lambda: states(client)[("identity", "1")] == "UNAVAILABLE")
        self.assertEqual(status_of(self.daemon.stub().ModelInfer, identity_request())[0],
                         grpc.StatusCode.NOT_FOUND)
        wait_until(lambda: 'nv_inference_count{model="identity",version="1"}'
                   not in self.daemon.metrics())
        self.assertTrue(client.is_server_ready())
        self.assertTrue(client.is_model_ready("gather"))

    def test_a_load_may_bring_config_and_files(self):
        made = models.identity(width=3).SerializeToString()
        self.client.load_model("fresh", config=json.dumps({"max_batch_size": 5}),
                               files={"file:4/model.onnx": made})
        config = self.client.get_model_config("fresh").config
        self.assertEqual(config.max_batch_size, 5)
        data = np.ones((2, 3), np.float32)
        given = triton.InferInput("x", [2, 3], "FP32")
        given.set_data_from_numpy(data)
        answer = self.client.infer("fresh", [given])
        self.assertEqual(answer.get_response().model_version, "4")
        np.testing.assert_array_equal(answer.as_numpy("y"), data)

    def test_bad_loads_name_what_is_wrong(self):
        stub = self.daemon.stub()
        load = messages.RepositoryModelLoadRequest

        def refused(message, code, words):
            got, details = status_of(stub.RepositoryModelLoad, message)
            self.assertEqual(got, code, details)
            self.assertIn(words, details)

        refused(load(model_name="nobody"), grpc.StatusCode.NOT_FOUND, "nobody")
        refused(load(model_name="../identity"), grpc.StatusCode.INVALID_ARGUMENT, "model name")
        refused(load(repository_name="r", model_name="identity"),
                grpc.StatusCode.UNIMPLEMENTED, "repository_name")
        message = load(model_name="identity")
        message.parameters["speed"].string_param = "high"
        refused(message, grpc.StatusCode.INVALID_ARGUMENT, "'speed' is not known")
        message = load(model_name="x")
        message.parameters["config"].string_param = "{}"
        message.parameters["file:1/../../x"].bytes_param = b"x"
        refused(message, grpc.StatusCode.INVALID_ARGUMENT, "VERSION/NAME")
        message = load(model_name="x")
        message.parameters["config"].string_param = "{}"
        message.parameters["file:1/model.onnx"].bytes_param = b"no model"
        refused(message, grpc.StatusCode.INVALID_ARGUMENT, "model.onnx")
        got, details = status_of(stub.RepositoryModelUnload,
                                 messages.RepositoryModelUnloadRequest(model_name="nobody"))
        self.assertEqual(got, grpc.StatusCode.NOT_FOUND, details)

    def test_requests_go_on_while_a_version_is_replaced(self):
        self.client.load_model("identity")
        stub = self.daemon.stub()
        failures, answers, stop = [], [], threading.Event()

        def ask():
            while not stop.is_set():
                code, details = status_of(stub.ModelInfer, identity_request())
                (answers if code == grpc.StatusCode.OK else failures).append(details)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for version in range(2, 12):
            models.save(self.daemon.models, "identity", models.identity(), str(version))
            self.client.load_model("identity")
            self.assertEqual(
                list(self.client.get_model_metadata("identity").versions), [str(version)])
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertGreater(len(answers), 10)


class OtherModesTest(unittest.TestCase):

    def test_without_explicit_control_loads_are_refused(self):
        with Daemon(fill) as daemon:
            code, details = status_of(daemon.stub().RepositoryModelLoad,
                                      messages.RepositoryModelLoadRequest(model_name="identity"))
            self.assertEqual(code, grpc.StatusCode.UNAVAILABLE)
            self.assertIn("--model-control-mode explicit", details)

    def test_polling_follows_the_folders(self):
        with Daemon(fill, "--model-control-mode", "poll", "--repository-poll-secs",
                    "0.1") as daemon:
            client = daemon.client()
            # Renamed into place, as a careful deployment does.
            models.save(f"{daemon.models}/.new", "added", models.identity())
            os.rename(f"{daemon.models}/.new/added", f"{daemon.models}/added")
            wait_until(lambda: states(client).get(("added", "1")) == "READY")
            models.save(daemon.models, "identity", models.identity(), "2")
            wait_until(lambda: list(
                client.get_model_metadata("identity").versions) == ["2"])
            shutil.rmtree(f"{daemon.models}/added")
            wait_until(lambda: states(client)[("added", "1")] == "UNAVAILABLE")
            self.assertTrue(client.is_model_ready("gather"))


if __name__ == "__main__":
    unittest.main()
