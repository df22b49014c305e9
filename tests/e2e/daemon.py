"""Starts and stops `inferd serve` on free ports."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

from e2e.clients import grpc, service, triton

SOURCE = os.environ.get("INFERD_SOURCE_DIR") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", ".."
)
BIN = os.environ.get("INFERD_BIN_DIR") or os.path.join(SOURCE, "build", "release", "bin")
INFERD = os.environ.get("INFERD") or os.path.join(BIN, "inferd")
START_SECONDS = 120


class Daemon:
    """A running daemon over a repository folder of its own; use with `with`.

    `fill(folder)` writes the models. The daemon's log is printed when a test leaves with an error.
    With `until_ready` false it waits for every model's final state instead of readiness.
    """

    def __init__(self, fill, *arguments, environment=None, until_ready=True, program=INFERD):
        self.folder = tempfile.mkdtemp(prefix="inferd-test-")
        self.models = os.path.join(self.folder, "models")
        os.mkdir(self.models)
        fill(self.models)
        self.log_path = os.path.join(self.folder, "log")
        self._log = open(self.log_path, "wb")
        self.process = subprocess.Popen(
            [
                program,
                "serve",
                "--model-repository",
                self.models,
                "--grpc-port",
                "0",
                "--http-port",
                "0",
                "--metrics-port",
                "0",
                *arguments,
            ],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.addresses = {}
        timer = threading.Timer(START_SECONDS, self.process.kill)
        timer.start()
        try:
            self._read_until("ready" if until_ready else "listening")
            while not until_ready and not self._all_final():
                time.sleep(0.05)
        finally:
            timer.cancel()

    def _all_final(self):
        index = self.client().get_model_repository_index().models
        return all(model.state not in ("LOADING", "UNKNOWN") for model in index)

    def _read_until(self, word):
        for line in self.process.stdout:
            if line.startswith("listening "):
                self.addresses = dict(re.findall(r"(\w+)=(\S+)", line))
            if line.split()[:1] == [word]:
                return
        self.process.wait()
        raise RuntimeError(
            f"the daemon ended with {self.process.returncode} before it was ready:\n{self.log()}"
        )

    @property
    def grpc(self):
        return self.addresses["grpc"]

    def client(self):
        return triton.InferenceServerClient(self.grpc)

    def channel(self):
        return grpc.insecure_channel(
            self.grpc,
            options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
        )

    def stub(self):
        return service.GRPCInferenceServiceStub(self.channel())

    def get(self, path, port="http"):
        """(status, body) of an HTTP GET."""
        try:
            with urllib.request.urlopen(
                f"http://{self.addresses[port]}{path}", timeout=10
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self):
        """{'name{labels}': value} of /metrics."""
        lines = self.get("/metrics", "metrics")[1].splitlines()
        return {
            line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
            for line in lines
            if line and not line.startswith("#")
        }

    def log(self):
        self._log.flush()
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for_log(self, text, timeout=60):
        """Until the log holds `text`."""
        deadline = time.monotonic() + timeout
        while text not in self.log():
            if time.monotonic() > deadline:
                raise TimeoutError(f"'{text}' is not in the log:\n{self.log()}")
            time.sleep(0.05)

    def stop(self, timeout=40):
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "killed: it did not stop"

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        crashed = self.process.poll() not in (None, 0)
        if kind is not None or crashed:
            print(f"---- the daemon's log, exit {self.process.poll()} ----\n{self.log()[-20000:]}")
        self.close()


def run_inferd(*arguments, timeout=120):
    """A finished `inferd` command."""
    return subprocess.run([INFERD, *arguments], capture_output=True, text=True, timeout=timeout)
