#!/usr/bin/env python3
"""The real perf_analyzer measures in every mode, over gRPC and HTTP, and reports no error."""

import os
import subprocess
import unittest

from e2e import models
from e2e.certificates import Authority
from e2e.collector import Collector, named
from e2e.daemon import SOURCE, Daemon

FOLDER = os.environ.get("PERF_ANALYZER_DIR") or os.path.join(SOURCE, "build", "perf_analyzer")
TOOL = os.path.join(FOLDER, "bin", "perf_analyzer")
SUCCESSES = 'nv_inference_request_success{model="identity",version="1"}'
# Windows that it measures in; a machine that has no time for the short one may for the others.
MILLISECONDS = ("300", "1000", "3000")
SHARED = "--shared-memory system --output-shared-memory-size 64"
MODES = [
    "--concurrency-range 4",
    "--concurrency-range 4 --async",
    "--request-rate-range 200",
    "--request-rate-range 200 --async --request-distribution poisson",
    f"--concurrency-range 4 {SHARED}",
    f"--request-rate-range 200 {SHARED}",
]
GRPC_MODES = [
    "--concurrency-range 4 --async --streaming",
    f"--request-rate-range 200 --async --streaming {SHARED}",
]


def fill(repository):
    models.save(repository, "identity", models.identity())


@unittest.skipUnless(os.path.exists(TOOL), "test.sh fetches perf_analyzer")
class PerfAnalyzerTest(unittest.TestCase):

    def run_tool(self, daemon, *arguments):
        """Runs it on the identity model; no request may fail."""
        for window in MILLISECONDS:
            ended = subprocess.run(
                [TOOL, "-m", "identity", "-b", "1", "-p", window, "-r", "4", "-s", "90", *arguments],
                env={**os.environ, "LD_LIBRARY_PATH": os.path.join(FOLDER, "lib")},
                capture_output=True,
                text=True,
                timeout=120,
            )
            output = ended.stdout + ended.stderr
            if "Throughput" in output:
                break
        self.assertIn("Throughput", output)
        self.assertIn("Inferences/Second vs. ", output)
        # Nothing but missing stability on a busy machine may make it fail.
        self.assertTrue(ended.returncode == 0 or "stable" in output, output)
        counts = daemon.metrics()
        failures = {k: v for k, v in counts.items() if k.startswith("nv_inference_request_failure")}
        self.assertEqual(sum(failures.values()), 0, failures)

    def run_modes(self, daemon, modes, *where):
        """Each mode must have had requests answered."""
        for mode in modes:
            with self.subTest(mode):
                before = daemon.metrics()[SUCCESSES]
                self.run_tool(daemon, *where, *mode.split())
                self.assertGreater(daemon.metrics()[SUCCESSES], before)

    def test_measures_in_every_mode(self):
        with Daemon(fill, "--shared-memory") as daemon:
            self.run_modes(daemon, MODES + GRPC_MODES, "-i", "grpc", "-u", daemon.grpc)
            self.run_modes(daemon, MODES, "-i", "http", "-u", daemon.addresses["http"])
            self.assertEqual(daemon.stop(), 0)

    def test_measures_in_every_mode_over_tls(self):
        with Authority() as authority:
            pair = authority.issue("server")
            with Daemon(
                fill, "--shared-memory", "--tls-cert", pair[0], "--tls-key", pair[1]
            ) as daemon:
                ports = {name: at.rsplit(":", 1)[1] for name, at in daemon.addresses.items()}
                trust = ["--ssl-grpc-use-ssl", "true", "--ssl-grpc-root-certifications-file"]
                where = ["-i", "grpc", "-u", f"localhost:{ports['grpc']}"]
                self.run_modes(
                    daemon, MODES + GRPC_MODES, *where, *trust, authority.certificate
                )
                where = ["-i", "http", "-u", f"https://localhost:{ports['http']}"]
                trust = ["--ssl-https-ca-certificates-file", authority.certificate]
                self.run_modes(daemon, MODES, *where, *trust)
                self.assertEqual(daemon.stop(), 0)

    def test_sets_what_is_traced(self):
        tracing = ["--trace-level", "TIMESTAMPS", "--trace-rate", "10", "--trace-count", "20"]
        with Collector() as collector:
            with Daemon(fill, "--otlp-endpoint", collector.endpoint) as daemon:
                load = ["--concurrency-range", "4", "--log-frequency", "5"]
                self.run_tool(daemon, "-i", "grpc", "-u", daemon.grpc, *tracing, *load)
                self.assertEqual(daemon.stop(), 0)
            # What is queued is sent at the end. It sets the count more than once.
            self.assertIn(len(named(collector.spans(), "InferRequest")), range(20, 100))


if __name__ == "__main__":
    unittest.main()
