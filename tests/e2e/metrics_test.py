#!/usr/bin/env python3
"""The metrics page: names, labels, counting, and promtool's opinion."""

import os
import re
import shutil
import subprocess
import unittest

from e2e import models
from e2e.calls import identity_request, request, status_of, tensor
from e2e.daemon import SOURCE, Daemon

M = 'model="identity",version="1"'
COUNTERS = [
    "nv_inference_request_success",
    "nv_inference_count",
    "nv_inference_exec_count",
    "nv_inference_request_duration_us",
    "nv_inference_queue_duration_us",
    "nv_inference_compute_input_duration_us",
    "nv_inference_compute_infer_duration_us",
    "nv_inference_compute_output_duration_us",
]


def promtool():
    unpacked = os.path.join(SOURCE, "build", "promtool", "usr", "bin", "promtool")
    return shutil.which("promtool") or (unpacked if os.path.exists(unpacked) else None)


class MetricsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(
            Daemon(lambda repository: models.save(repository, "identity", models.identity()))
        )
        cls.stub = cls.daemon.stub()

    def test_counters_exist_from_the_start_and_count(self):
        before = self.daemon.metrics()
        for name in COUNTERS:
            self.assertIn(f"{name}{{{M}}}", before)
        for rows in (1, 3):
            self.stub.ModelInfer(identity_request(rows))
        after = self.daemon.metrics()

        def growth(name):
            return after[f"{name}{{{M}}}"] - before[f"{name}{{{M}}}"]

        self.assertEqual(growth("nv_inference_request_success"), 2)
        self.assertEqual(growth("nv_inference_count"), 4)
        self.assertEqual(growth("nv_inference_exec_count"), 2)
        self.assertGreater(growth("nv_inference_request_duration_us"), 0)

    def test_failures_count_by_reason(self):
        names = [
            key for key in self.daemon.metrics() if key.startswith("nv_inference_request_failure{")
        ]
        for reason in ("REJECTED", "CANCELED", "BACKEND", "OTHER"):
            self.assertTrue(any(f'reason="{reason}"' in name for name in names), reason)
        before = sum(self.daemon.metrics()[name] for name in names)
        status_of(
            self.stub.ModelInfer, request("identity", [tensor("x", "FP32", [1, 16])], [b"short"])
        )
        self.assertEqual(sum(self.daemon.metrics()[name] for name in names), before + 1)

    def test_histograms_have_buckets_from_100_us_to_60_s(self):
        self.stub.ModelInfer(identity_request())
        metrics = self.daemon.metrics()
        for name in (
            "inferd_request_duration_seconds",
            "inferd_queue_duration_seconds",
            "inferd_compute_duration_seconds",
        ):
            edges = sorted(
                float(key.split('le="')[1].split('"')[0])
                for key in metrics
                if key.startswith(f"{name}_bucket{{{M}") and "+Inf" not in key
            )
            self.assertEqual((edges[0], edges[-1]), (0.0001, 60.0), name)
            self.assertGreaterEqual(metrics[f"{name}_count{{{M}}}"], 1, name)
        self.assertGreaterEqual(metrics[f"inferd_batch_rows_count{{{M}}}"], 1)

    def test_model_and_process_gauges_are_there(self):
        metrics = self.daemon.metrics()
        for name in (
            "inferd_model_load_duration_seconds",
            "inferd_model_weight_bytes",
            "inferd_model_arena_bytes",
            "inferd_model_workspace_bytes",
            "inferd_queue_requests",
        ):
            self.assertIn(f"{name}{{{M}}}", metrics)
        self.assertGreaterEqual(metrics["inferd_core_slots"], 1)

    def test_promtool_finds_nothing_but_the_given_names(self):
        tool = promtool()
        if tool is None:
            self.skipTest("no promtool")
        page = self.daemon.get("/metrics", "metrics")[1]
        checked = subprocess.run(
            [tool, "check", "metrics"], input=page, capture_output=True, text=True
        )
        complaints = [
            line
            for line in (checked.stdout + checked.stderr).splitlines()
            if line.strip() and not line.startswith("nv_")
        ]
        self.assertEqual(complaints, [])


class DeployedFilesTest(unittest.TestCase):

    def test_prometheus_accepts_the_scrape_config_and_the_rules(self):
        tool = promtool()
        if tool is None:
            self.skipTest("no promtool")
        folder = os.path.join(SOURCE, "deploy", "prometheus")
        for command in (
            ["check", "config", "prometheus.yml"],
            ["check", "rules", "alerts.yml"],
            ["test", "rules", "alerts_test.yml"],
        ):
            checked = subprocess.run([tool, *command], cwd=folder, capture_output=True, text=True)
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_dashboard_and_alerts_use_names_that_the_daemon_serves(self):
        with Daemon(
            lambda repository: models.save(repository, "identity", models.identity())
        ) as daemon:
            daemon.stub().ModelInfer(identity_request())
            page = daemon.get("/metrics", "metrics")[1]
        for path in ("grafana/inferd.json", "prometheus/alerts.yml"):
            with open(os.path.join(SOURCE, "deploy", path), encoding="utf-8") as file:
                names = set(re.findall(r"\b(?:inferd|nv)_[a-z0-9_]+", file.read()))
            for name in names:
                base = re.sub(r"_(bucket|count|sum)$", "", name)
                self.assertTrue(
                    f"# TYPE {name} " in page or f"# TYPE {base} " in page, f"{path}: {name}"
                )


if __name__ == "__main__":
    unittest.main()
