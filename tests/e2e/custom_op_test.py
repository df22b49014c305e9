#!/usr/bin/env python3
"""Operators of a shared library, through the daemon."""

import os
import tempfile
import unittest

from e2e import models
from e2e.clients import np, onnx, triton
from e2e.daemon import BIN, Daemon, run_inferd

LIBRARY = os.path.join(os.path.dirname(BIN), "lib", "libexample_ops.so")
helper, TensorProto = onnx.helper, onnx.TensorProto


def count_words():
    node = helper.make_node("CountWords", ["text"], ["words"], domain="com.example")
    text = models.value("text", TensorProto.STRING, ["lines"])
    words = models.value("words", TensorProto.INT64, ["lines"])
    model = models.model([node], [text], [words])
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    return model


def fill(folder):
    os.makedirs(f"{folder}/words/1")
    onnx.save(count_words(), f"{folder}/words/1/model.onnx")


@unittest.skipUnless(os.path.exists(LIBRARY), f"{LIBRARY} is not built")
class CustomOpTest(unittest.TestCase):

    def test_the_daemon_serves_a_model_with_the_librarys_operator(self):
        with Daemon(fill, "--custom-op-library", LIBRARY) as daemon:
            text = triton.InferInput("text", [2], "BYTES")
            text.set_data_from_numpy(np.array([b"a b  c", b""], np.object_))
            answer = daemon.client().infer("words", [text]).as_numpy("words")
            np.testing.assert_array_equal(answer, [3, 0])

    def test_a_library_that_cannot_be_loaded_is_a_usage_error(self):
        with tempfile.TemporaryDirectory(prefix="inferd-test-") as folder:
            ended = run_inferd(
                "serve", "--model-repository", folder, "--custom-op-library", "/nowhere/libx.so"
            )
        self.assertEqual(ended.returncode, 2, ended.stderr)
        self.assertIn("/nowhere/libx.so", ended.stderr)


if __name__ == "__main__":
    unittest.main()
