#!/usr/bin/env python3
"""The real perf_analyzer starts, finds the model's shape and statistics, and reports no error."""

import os
import subprocess
import unittest

from e2e import models
from e2e.daemon import SOURCE, Daemon

FOLDER = os.environ.get("PERF_ANALYZER_DIR") or os.path.join(SOURCE, "build", "perf_analyzer")


class PerfAnalyzerTest(unittest.TestCase):

    def test_measures_the_identity_model(self):
        tool = os.path.join(FOLDER, "bin", "perf_analyzer")
        if not os.path.exists(tool):
            self.skipTest("test.sh fetches perf_analyzer")
        with Daemon(
            lambda repository: models.save(repository, "identity", models.identity())
        ) as daemon:
            ended = subprocess.run(
                [
                    tool,
                    "-i",
                    "grpc",
                    "-u",
                    daemon.grpc,
                    "-m",
                    "identity",
                    "-b",
                    "1",
                    "--concurrency-range",
                    "4",
                    "-p",
                    "500",
                    "-r",
                    "4",
                    "-s",
                    "90",
                ],
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
            self.assertEqual(
                sum(
                    v
                    for k, v in daemon.metrics().items()
                    if k.startswith("nv_inference_request_failure")
                ),
                0,
            )


if __name__ == "__main__":
    unittest.main()
