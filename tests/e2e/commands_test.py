#!/usr/bin/env python3
"""The commands run, bench, test, inspect and doctor, their help, errors and exit codes."""

import json
import os
import tempfile
import unittest

from e2e import models
from e2e.clients import np, onnx
from e2e.daemon import SOURCE, run_inferd

EXAMPLES = os.path.join(SOURCE, "config", "examples", "models")


class CommandsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="inferd-test-"))
        cls.model = os.path.join(cls.folder, "arithmetic.onnx")
        onnx.save(models.sum_and_difference(), cls.model)

    def test_doctor_looks_at_the_machine_and_what_would_be_served(self):
        with tempfile.TemporaryDirectory() as folder:
            models.save(folder, "identity", models.identity())
            ports = ["--grpc-port", "0", "--http-port", "0", "--metrics-port", "0"]
            ended = run_inferd("doctor", "--json", "--model-repository", folder, *ports)
            self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
            findings = {entry["check"]: entry for entry in json.loads(ended.stdout)}
            self.assertEqual(findings["model identity"]["level"], "ok")
            self.assertTrue({"cpu quota", "memory", "clock", "grpc port"} <= set(findings))
            with open(f"{folder}/identity/config.pbtxt", "w", encoding="utf-8") as file:
                file.write("max_batch_size: many")
            ended = run_inferd("doctor", "--model-repository", folder, *ports)
            self.assertEqual(ended.returncode, 1)
            self.assertRegex(ended.stdout, "fail +model identity .*Expected integer.* -> mend")

    def test_every_command_has_help(self):
        for command in ([], ["serve"], ["run"], ["bench"], ["test"], ["inspect"], ["doctor"]):
            ended = run_inferd(*command, "--help")
            self.assertEqual(ended.returncode, 0, command)
            self.assertIn("--help", ended.stdout, command)

    def test_bad_usage_exits_2_and_failures_exit_1(self):
        for arguments in (
            [],
            ["nonsense"],
            ["run"],
            ["bench", self.model, "--seconds", "soon"],
            ["serve", "--grpc-port", "70000", "--model-repository", self.folder],
        ):
            ended = run_inferd(*arguments)
            self.assertEqual(ended.returncode, 2, (arguments, ended.stderr))
            self.assertTrue(ended.stderr)
        for arguments in (
            ["run", "missing.onnx"],
            ["inspect", __file__],
            ["bench", "missing.onnx"],
        ):
            ended = run_inferd(*arguments)
            self.assertEqual(ended.returncode, 1, (arguments, ended.stderr))
            self.assertIn(os.path.basename(arguments[1]), ended.stderr)

    def test_run_reads_and_writes_npy(self):
        a = np.arange(8, dtype=np.int32).reshape(2, 4)
        b = np.full((2, 4), 10, np.int32)
        np.save(f"{self.folder}/a.npy", a)
        np.save(f"{self.folder}/b.npy", b)
        ended = run_inferd(
            "run",
            self.model,
            "--input",
            f"a={self.folder}/a.npy",
            "--input",
            f"b={self.folder}/b.npy",
            "--output-dir",
            f"{self.folder}/out",
        )
        self.assertEqual(ended.returncode, 0, ended.stderr)
        np.testing.assert_array_equal(np.load(f"{self.folder}/out/sum.npy"), a + b)
        np.testing.assert_array_equal(np.load(f"{self.folder}/out/difference.npy"), a - b)

    def test_run_makes_inputs_where_none_are_given(self):
        ended = run_inferd(
            "run", os.path.join(EXAMPLES, "digits", "1", "model.onnx"), "--output-dir", self.folder
        )
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertAlmostEqual(
            float(np.load(f"{self.folder}/probabilities.npy").sum()), 1.0, places=5
        )

    def test_run_names_an_input_of_the_wrong_shape(self):
        np.save(f"{self.folder}/wrong.npy", np.zeros((2, 5), np.int32))
        ended = run_inferd("run", self.model, "--input", f"a={self.folder}/wrong.npy")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("a", ended.stderr)

    def test_bench_prints_json(self):
        ended = run_inferd(
            "bench",
            os.path.join(EXAMPLES, "digits", "1", "model.onnx"),
            "--shape",
            "image=4x1x8x8",
            "--seconds",
            "0.5",
            "--threads",
            "1",
            "--json",
        )
        self.assertEqual(ended.returncode, 0, ended.stderr)
        result = json.loads(ended.stdout)
        self.assertLessEqual({"p50", "p90", "p99", "mean"}, set(result["latency_ms"]))
        self.assertGreater(result["latency_ms"]["p50"], 0)
        self.assertLessEqual(
            {"precision", "provider", "threads", "peak_rss_bytes", "load_seconds"}, set(result)
        )
        self.assertGreater(result["peak_rss_bytes"], 1 << 20)

    def test_inspect_shows_graph_passes_and_plan(self):
        model = os.path.join(EXAMPLES, "digits", "1", "model.onnx")
        plain = run_inferd("inspect", model)
        self.assertEqual(plain.returncode, 0, plain.stderr)
        self.assertIn("Conv", plain.stdout)
        more = run_inferd("inspect", model, "--passes", "--plan")
        self.assertEqual(more.returncode, 0, more.stderr)
        self.assertGreater(len(more.stdout), len(plain.stdout))

    def write_case(self, name, expected):
        """A folder in the style of ONNX's backend tests."""
        folder = os.path.join(self.folder, name)
        os.makedirs(f"{folder}/test_data_set_0", exist_ok=True)
        onnx.save(models.sum_and_difference(), f"{folder}/model.onnx")
        a = np.array([[1, 2, 3, 4]], np.int32)
        for i, (kind, array) in enumerate(
            (("input", a), ("input", a), ("output", a + a), ("output", expected))
        ):
            with open(f"{folder}/test_data_set_0/{kind}_{i % 2}.pb", "wb") as file:
                file.write(onnx.numpy_helper.from_array(array).SerializeToString())
        return folder

    def test_test_counts_passed_failed_and_skipped(self):
        good = self.write_case("good", np.zeros((1, 4), np.int32))
        wrong = self.write_case("wrong", np.ones((1, 4), np.int32))
        ended = run_inferd("test", good)
        self.assertEqual(
            (ended.returncode, ended.stdout.splitlines()[-1]), (0, "1 passed, 0 failed, 0 skipped")
        )
        ended = run_inferd("test", good, wrong)
        self.assertEqual(
            (ended.returncode, ended.stdout.splitlines()[-1]), (1, "1 passed, 1 failed, 0 skipped")
        )
        self.assertIn("wrong", ended.stdout)


if __name__ == "__main__":
    unittest.main()
