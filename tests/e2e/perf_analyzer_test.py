#!/usr/bin/env python3
"""The real perf_analyzer starts, finds the model's shape and statistics, and reports no error."""

import os
import subprocess
import unittest

from e2e import models
from e2e.collector import Collector, named
from e2e.daemon import SOURCE, Daemon

FOLDER = os.environ.get("PERF_ANALYZER_DIR") or os.path.join(SOURCE, "build", "perf_analyzer")


TOOL = os.path.join(FOLDER, "bin", "perf_analyzer")


@unittest.skipUnless(os.path.exists(TOOL), "test.sh fetches perf_analyzer")
class PerfAnalyzerTest(unittest.TestCase):

    def measure(self, *arguments, daemon_arguments=()):
        """Runs it on the identity model; no request may fail."""
        with Daemon(
            lambda repository: models.save(repository, "identity", models.identity()),
            *daemon_arguments,
        ) as daemon:
            command = [TOOL, "-i", "grpc", "-u", daemon.grpc, "-m", "identity", "-b", "1"]
            window = ["--concurrency-range", "4", "-p", "500", "-r", "4", "-s", "90"]
            ended = subprocess.run(
                command + window + list(arguments),
                env={**os.environ, "LD_LIBRARY_PATH": os.path.join(FOLDER, "lib")},
                capture_output=True,
                text=True,
                timeout=120,
            )
            output = ended.stdout + ended.stderr
            self.assertIn("Throughput", output)
            self.assertIn("Inferences/Second vs. Client", output)
            # Nothing but missing stability on a busy machine may make it fail.
            self.assertTrue(ended.returncode == 0 or "stable" in output, output)
            failures = {
                name: value
                for name, value in daemon.metrics().items()
                if name.startswith("nv_inference_request_failure")
            }
            self.assertEqual(sum(failures.values()), 0, failures)
            self.assertEqual(daemon.stop(), 0)

    def test_measures_the_identity_model(self):
        self.measure()

    def test_sets_what_is_traced(self):
        tracing = ["--trace-level", "TIMESTAMPS", "--trace-rate", "10", "--trace-count", "20"]
        with Collector() as collector:
            self.measure(
                *tracing,
                "--log-frequency",
                "5",
                daemon_arguments=["--otlp-endpoint", collector.endpoint],
            )
            # What is queued is sent at the end. It sets the count more than once.
            self.assertIn(len(named(collector.spans(), "InferRequest")), range(20, 100))

    def test_measures_it_with_tensors_in_shared_memory(self):
        self.measure(
            "--shared-memory",
            "system",
            "--output-shared-memory-size",
            "64",
            daemon_arguments=["--shared-memory"],
        )


if __name__ == "__main__":
    unittest.main()
