#!/usr/bin/env python3
"""Packed weights from one start to the next, with --cache-dir."""

import os
import tempfile
import time
import unittest

from e2e import models
from e2e.clients import np, onnx, triton
from e2e.daemon import Daemon, run_inferd

WIDTH = 256
WAIT_SECONDS = 60


def weights():
    return np.random.default_rng(1).uniform(-1, 1, (WIDTH, WIDTH)).astype(np.float32)


def linear():
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    kind = onnx.TensorProto.FLOAT
    x, y = models.value("x", kind, ["batch", WIDTH]), models.value("y", kind, ["batch", WIDTH])
    return models.model([node], [x], [y], [onnx.numpy_helper.from_array(weights(), "w")])


def answer(daemon):
    x = np.ones((3, WIDTH), np.float32)
    given = triton.InferInput("x", list(x.shape), "FP32")
    given.set_data_from_numpy(x)
    got = daemon.client().infer("linear", [given]).as_numpy("y")
    np.testing.assert_allclose(got, x @ weights(), rtol=1e-4, atol=1e-4)
    return got


class CacheTest(unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="inferd-test-")
        self.addCleanup(temporary.cleanup)
        self.cache = os.path.join(temporary.name, "cache")
        # One file for all starts: a copy made later is another model.
        self.model = os.path.join(temporary.name, "model.onnx")
        onnx.save(linear(), self.model)

    def fill(self, folder):
        os.makedirs(f"{folder}/linear/1")
        os.link(self.model, f"{folder}/linear/1/model.onnx")

    def files(self):
        return os.listdir(self.cache) if os.path.isdir(self.cache) else []

    def wait_for_file(self):
        deadline = time.monotonic() + WAIT_SECONDS
        while not any(name.endswith(".inferd-cache") for name in self.files()):
            self.assertLess(time.monotonic(), deadline, "no cache file was written")
            time.sleep(0.05)

    def test_the_next_start_uses_what_the_first_one_kept(self):
        with Daemon(self.fill, "--cache-dir", self.cache, "--deterministic") as daemon:
            first = answer(daemon)
            self.wait_for_file()
            self.assertIn("found no", daemon.log())
        with Daemon(self.fill, "--cache-dir", self.cache, "--deterministic") as daemon:
            np.testing.assert_array_equal(answer(daemon), first)
            # The weights, and that rows may be batched.
            self.assertIn("uses 2 sections", daemon.log())
            self.assertIn("batched, proven", daemon.log())

    def test_what_was_measured_is_kept_too(self):
        with Daemon(self.fill, "--cache-dir", self.cache) as daemon:
            answer(daemon)
            daemon.wait_for_log("tuned:")
        with Daemon(self.fill, "--cache-dir", self.cache) as daemon:
            answer(daemon)
            # The choices, and the weights as the chosen kernel has them; maybe those of the other too.
            self.assertRegex(daemon.log(), "uses [34] sections")

    def test_a_damaged_file_is_refused_with_a_line_in_the_log(self):
        with Daemon(self.fill, "--cache-dir", self.cache):
            self.wait_for_file()
        for name in self.files():
            with open(os.path.join(self.cache, name), "r+b") as file:
                file.write(b"nothing of ours")
        with Daemon(self.fill, "--cache-dir", self.cache) as daemon:
            answer(daemon)
            self.assertIn("damaged", daemon.log())

    def test_bench_and_run_keep_it_too(self):
        for command in (["run"], ["bench", "--seconds", "0", "--deterministic"]):
            name, *flags = command
            ended = run_inferd(name, self.model, *flags, "--cache-dir", self.cache)
            self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("uses 1 sections", ended.stderr)


if __name__ == "__main__":
    unittest.main()
