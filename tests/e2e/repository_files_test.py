#!/usr/bin/env python3
"""What may be loaded from a repository: files within it, and with a list of digests those alone."""

import json
import os
import subprocess
import tempfile
import unittest

from e2e import models
from e2e.calls import identity_request, request, status_of, tensor
from e2e.clients import grpc, messages, np
from e2e.daemon import Daemon, run_inferd
from e2e.model_control_test import states

LABELS = 'output { name: "y" label_filename: "%s" }'


def link(target, *path):
    os.symlink(target, os.path.join(*path))


class LinksTest(unittest.TestCase):

    def setUp(self):
        self.outside = self.enterContext(tempfile.TemporaryDirectory())
        models.save(self.outside, "secret", models.identity(), config="max_batch_size: 3")

    def fill(self, repository):
        secret = os.path.join(self.outside, "secret")
        link(secret, repository, "model_out")
        os.mkdir(f"{repository}/version_out")
        link(f"{secret}/1", repository, "version_out", "1")
        os.makedirs(f"{repository}/file_out/1")
        link(f"{secret}/1/model.onnx", repository, "file_out", "1", "model.onnx")
        models.save(repository, "config_out", models.identity())
        link(f"{secret}/config.pbtxt", repository, "config_out", "config.pbtxt")
        models.save(repository, "labels_out", models.identity(), config=LABELS % "labels.txt")
        link("/etc/hostname", repository, "labels_out", "labels.txt")
        models.save(repository, "labels_up", models.identity(), config=LABELS % "../../x/labels")
        models.save(repository, "name_out", models.identity(),
                    config=f'default_model_filename: "../../../../../..{secret}/1/model.onnx"')
        # Within the repository links are fine.
        models.save(repository, "identity", models.identity())
        link("identity", repository, "same")
        os.makedirs(f"{repository}/mounted/1/..2026")
        with open(f"{repository}/mounted/1/..2026/model.onnx", "wb") as file:
            file.write(models.identity().SerializeToString())
        link("..2026", repository, "mounted", "1", "..data")
        link("..data/model.onnx", repository, "mounted", "1", "model.onnx")

    def test_links_out_of_the_repository_are_refused_and_others_followed(self):
        daemon = self.enterContext(Daemon(self.fill))
        index = {model.name: (model.state, model.reason)
                 for model in daemon.client().get_model_repository_index().models}
        for name in ("identity", "same", "mounted"):
            self.assertEqual(index[name], ("READY", ""), name)
        for name in ("model_out", "version_out", "file_out", "config_out", "labels_out"):
            state, reason = index[name]
            self.assertEqual(state, "UNAVAILABLE", name)
            self.assertIn("leads out of the model repository", reason, name)
        self.assertEqual(index["name_out"][0], "UNAVAILABLE")
        self.assertEqual(index["labels_up"][0], "UNAVAILABLE")

    def test_loads_cannot_leave_it_either(self):
        daemon = self.enterContext(Daemon(self.fill, "--model-control-mode", "explicit"))
        stub = daemon.stub()
        for name in ("../secret", "..", ".", "/etc", "a/b", "identity/../model_out", "a\0b", ""):
            message = messages.RepositoryModelLoadRequest(model_name=name)
            self.assertEqual(status_of(stub.RepositoryModelLoad, message)[0],
                             grpc.StatusCode.INVALID_ARGUMENT, name)
        for path in ("1/../../x", "../1/model.onnx", "/1/model.onnx", "1//model.onnx", "1/.x",
                     "1/a/b", "0/model.onnx", "x/model.onnx", "1/a\0b", "", "1/..", "1"):
            message = messages.RepositoryModelLoadRequest(model_name="fresh")
            message.parameters["config"].string_param = "{}"
            message.parameters[f"file:{path}"].bytes_param = b"x"
            code, details = status_of(stub.RepositoryModelLoad, message)
            self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT, path)
            self.assertIn("VERSION/NAME", details)
        for name in ("model_out", "file_out", "version_out"):
            message = messages.RepositoryModelLoadRequest(model_name=name)
            code, details = status_of(stub.RepositoryModelLoad, message)
            self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT, name)
            self.assertIn("leads out", details)


class DigestsTest(unittest.TestCase):

    @staticmethod
    def fill(repository):
        models.save(repository, "identity", models.identity())
        models.save(repository, "gather", models.gather())
        made, weights = models.linear()
        models.save(repository, "linear", models.with_external_data(made, "weights.bin"))
        with open(f"{repository}/linear/1/weights.bin", "wb") as file:
            file.write(weights)

    def list_of(self, daemon, *paths):
        return subprocess.run(["sha256sum", *paths], cwd=daemon.models, check=True,
                              capture_output=True, text=True).stdout

    def test_only_listed_files_with_their_digests_are_loaded(self):
        path = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "list")

        def write(text):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

        write("")
        daemon = self.enterContext(Daemon(self.fill, "--model-digests", path,
                                          "--model-control-mode", "explicit"))
        client, stub = daemon.client(), daemon.stub()

        def refused(name, words):
            message = messages.RepositoryModelLoadRequest(model_name=name)
            code, details = status_of(stub.RepositoryModelLoad, message)
            self.assertEqual(code, grpc.StatusCode.PERMISSION_DENIED, details)
            self.assertIn(words, details)

        refused("identity", "is not among the files of --model-digests")
        write(self.list_of(daemon, "identity/1/model.onnx", "linear/1/model.onnx"))
        client.load_model("identity")
        self.assertEqual(status_of(stub.ModelInfer, identity_request())[0], grpc.StatusCode.OK)
        refused("gather", "is not among")
        refused("linear", "weights.bin' is not among")
        write(self.list_of(daemon, "identity/1/model.onnx", "linear/1/model.onnx",
                           "linear/1/weights.bin"))
        client.load_model("linear")
        # Changed weights are refused; the version that was loaded serves on.
        with open(f"{daemon.models}/linear/1/weights.bin", "r+b") as file:
            file.write(b"\1")
        refused("linear", "expected the SHA-256")
        data = np.ones((1, 8), np.float32)
        asked = request("linear", [tensor("x", "FP32", [1, 8])], [data.tobytes()])
        self.assertEqual(status_of(stub.ModelInfer, asked)[0], grpc.StatusCode.OK)
        # A load that brings its own files is no way around.
        message = messages.RepositoryModelLoadRequest(model_name="identity")
        message.parameters["config"].string_param = json.dumps({})
        message.parameters["file:1/model.onnx"].bytes_param = models.gather().SerializeToString()
        code, details = status_of(stub.RepositoryModelLoad, message)
        self.assertEqual(code, grpc.StatusCode.PERMISSION_DENIED, details)
        self.assertEqual(states(client)[("gather", "1")], "UNAVAILABLE")

    def test_a_bad_list_is_an_error_at_the_start(self):
        with tempfile.TemporaryDirectory() as folder:
            ended = run_inferd("serve", "--model-repository", folder, "--grpc-port", "0",
                               "--http-port", "0", "--metrics-port", "0", "--model-digests",
                               f"{folder}/none")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("none' cannot be read", ended.stderr)


if __name__ == "__main__":
    unittest.main()
