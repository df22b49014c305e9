#!/usr/bin/env python3
"""The cap on memory, and that unloading gives memory back."""

import os
import subprocess
import sys
import unittest

from e2e import models
from e2e.calls import status_of
from e2e.clients import grpc, messages, np, onnx
from e2e.daemon import Daemon

BENCH = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench")
sys.path.insert(0, BENCH)
import flood  # noqa: E402
from unload_cycles import run_cycles  # noqa: E402 -- it lies in another folder

MEGABYTE = 1 << 20
TensorProto, helper, numpy_helper = onnx.TensorProto, onnx.helper, onnx.numpy_helper


def weighty(megabytes):
    """A model of about so many megabytes of weights."""
    width = 512
    depth = max(1, megabytes * MEGABYTE // (4 * width * width))
    generator = np.random.default_rng(0)
    weights = [numpy_helper.from_array(
        (generator.standard_normal((width, width)) / 32).astype(np.float32), f"w{i}")
        for i in range(depth)]
    nodes = [helper.make_node("MatMul", [f"h{i}" if i else "x", f"w{i}"],
                              ["y" if i == depth - 1 else f"h{i + 1}"]) for i in range(depth)]
    return models.model(nodes, [models.value("x", TensorProto.FLOAT, ["batch", width])],
                        [models.value("y", TensorProto.FLOAT, ["batch", width])], weights)


class MemoryTest(unittest.TestCase):

    def test_a_model_that_does_not_fit_is_refused_and_others_go_on(self):
        def fill(repository):
            models.save(repository, "small", weighty(4))
            models.save(repository, "large", weighty(400))

        with Daemon(fill, "--model-control-mode", "explicit", "--load-model", "small",
                    "--memory-limit-bytes", str(300 * MEGABYTE), "--max-inflight-bytes",
                    str(64 * MEGABYTE)) as daemon:
            message = messages.RepositoryModelLoadRequest(model_name="large")
            code, details = status_of(daemon.stub().RepositoryModelLoad, message, timeout=60)
            self.assertEqual(code, grpc.StatusCode.RESOURCE_EXHAUSTED, details)
            self.assertRegex(details, r"needs 4\d\d{6,} bytes, the process holds \d+ of 314572800")
            self.assertTrue(daemon.client().is_model_ready("small"))
            metrics = daemon.metrics()
            self.assertEqual(metrics["inferd_memory_limit_bytes"], 300 * MEGABYTE)
            self.assertTrue(0 < metrics["inferd_memory_used_bytes"] < 300 * MEGABYTE)
            weights = metrics['inferd_model_weight_bytes{model="small",version="1"}']
            self.assertGreaterEqual(weights, 4 * MEGABYTE)

    def test_unloading_gives_memory_back(self):
        def fill(repository):
            models.save(repository, "model", weighty(24))

        with Daemon(fill, "--model-control-mode", "explicit") as daemon:
            resident = run_cycles(daemon, "model", 30)
            # The weights do not stay, and nothing adds up.
            self.assertLessEqual(resident[-1], resident[4] * 1.05 + MEGABYTE, resident)

    def test_a_flood_of_large_requests_in_a_small_cgroup_kills_nothing(self):
        cgroup = flood.make_cgroup(1024 * MEGABYTE)
        if cgroup is None:
            self.skipTest("no cgroup can be made here")
        os.rmdir(cgroup)
        # A process of its own enters the cgroup and leaves it again.
        ended = subprocess.run(
            [sys.executable, os.path.join(BENCH, "flood.py"), "--clients", "20", "--seconds", "5"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=240)
        self.assertEqual(ended.returncode, 0, ended.stdout)
        self.assertIn("limit 1024 MiB, by /sys/fs/cgroup/", ended.stdout)
        self.assertRegex(ended.stdout, "codes .*RESOURCE_EXHAUSTED")


if __name__ == "__main__":
    unittest.main()
