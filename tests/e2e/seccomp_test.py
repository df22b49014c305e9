#!/usr/bin/env python3
"""The seccomp profile of the deployment: the daemon works under it, and other calls do not."""

import ctypes
import ctypes.util
import os
import subprocess
import sys
import tempfile
import unittest

from e2e import models
from e2e.calls import identity_request, status_of
from e2e.certificates import Authority
from e2e.clients import grpc
from e2e.daemon import INFERD, SOURCE, Daemon
from e2e.tls_test import infer_over

PROFILE = os.path.join(SOURCE, "deploy", "seccomp", "inferd.json")
WRAPPER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "under_seccomp.py")


def has_seccomp():
    try:
        ctypes.CDLL("libseccomp.so.2")
        return True
    except OSError:
        return False


def fill(repository):
    models.save(repository, "identity", models.identity())
    models.save(repository, "slow", models.slow(4))


@unittest.skipUnless(has_seccomp(), "libseccomp.so.2 is not installed")
class SeccompTest(unittest.TestCase):

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.program = os.path.join(self.folder, "inferd")
        with open(self.program, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec {sys.executable} {WRAPPER} {PROFILE} {INFERD} "$@"\n')
        os.chmod(self.program, 0o755)

    def test_the_daemon_serves_under_the_profile(self):
        with Authority() as authority:
            pair = authority.issue("server")
            daemon = self.enterContext(Daemon(
                fill, "--tls-cert", pair[0], "--tls-key", pair[1], "--cache-dir",
                os.path.join(self.folder, "cache"), "--model-control-mode", "explicit",
                "--load-model", "*", program=self.program))
            self.assertEqual(infer_over(daemon, authority), grpc.StatusCode.OK)
            self.assertEqual(daemon.get("/metrics", "metrics")[0], 200)
            with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as file:
                self.assertIn("Seccomp:\t2", file.read())
            self.assertEqual(daemon.stop(), 0, daemon.log())
        self.assertNotIn("not permitted", daemon.log())

    def test_models_are_loaded_and_unloaded_under_it(self):
        daemon = self.enterContext(Daemon(fill, "--model-control-mode", "poll", program=self.program))
        models.save(daemon.models, "identity", models.identity(), "2")
        self.assertEqual(status_of(daemon.stub().ModelInfer, identity_request())[0],
                         grpc.StatusCode.OK)

    def test_other_system_calls_are_refused(self):
        code = ("import ctypes, sys; libc = ctypes.CDLL(None, use_errno=True); "
                "sys.exit(ctypes.get_errno() if libc.unshare(0x20000) != 0 else 99)")
        ended = subprocess.run([sys.executable, WRAPPER, PROFILE, sys.executable, "-c", code],
                               capture_output=True, timeout=30)
        self.assertEqual(ended.returncode, 1, ended.stderr)


if __name__ == "__main__":
    unittest.main()
