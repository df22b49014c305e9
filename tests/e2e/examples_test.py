#!/usr/bin/env python3
"""The example models give their right answers through the script that quickstart runs."""

import os
import shutil
import subprocess
import sys
import unittest

from e2e import models  # noqa: F401, skips without the clients
from e2e.daemon import BIN, SOURCE, Daemon

EXAMPLES = os.path.join(SOURCE, "config", "examples")


class ExamplesTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(
            Daemon(
                lambda repository: shutil.copytree(
                    f"{EXAMPLES}/models", repository, dirs_exist_ok=True
                ),
                "--deterministic",
            )
        )

    def test_each_answers_its_question(self):
        asked = subprocess.run(
            [
                sys.executable,
                f"{EXAMPLES}/ask.py",
                "--grpc",
                self.daemon.grpc,
                "--models",
                self.daemon.models,
            ],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(asked.returncode, 0, asked.stdout + asked.stderr)
        self.assertIn("This image shows a 7", asked.stdout)
        self.assertIn("looks like fraud", asked.stdout)

    def test_both_may_be_batched(self):
        client = self.daemon.client()
        for name in ("digits", "fraud"):
            self.assertEqual(client.get_model_config(name).config.max_batch_size, 32, name)

    def test_the_committed_models_are_small(self):
        for name in ("digits", "fraud"):
            self.assertLess(os.path.getsize(f"{EXAMPLES}/models/{name}/1/model.onnx"), 300_000)

    def test_the_load_generator_gets_equal_answers_in_both_loops(self):
        tool = os.path.join(BIN, "inferd-loadtest")
        for mode in (["--concurrency", "8"], ["--rate", "200"]):
            ended = subprocess.run(
                [
                    tool,
                    "--url",
                    self.daemon.grpc,
                    "--model",
                    "digits",
                    *mode,
                    "--seconds",
                    "1.5",
                    "--warmup",
                    "0.2",
                    "--check-equal",
                ],
                capture_output=True,
                text=True,
                timeout=60,
            )
            self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
            self.assertIn(" 0 errors", ended.stdout)
            self.assertIn("answers unlike the first: 0", ended.stdout)
            self.assertIn("answers/s", ended.stderr)


if __name__ == "__main__":
    unittest.main()
