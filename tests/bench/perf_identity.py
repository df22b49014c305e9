#!/usr/bin/env python3
"""perf_analyzer on a tiny identity model: inferd against a bare gRPC echo server, in one run.

usage: perf_identity.py [--rounds 3] [--concurrency 1,16,64] [--limit 0.8] [-- FLAG_OF_SERVE...]
Both servers run all the time; perf_analyzer alternates between them: echo inferd echo inferd ...
With `-- --threads-per-slot 2` no request runs on the thread of gRPC that brought it.
Exits 1 when the median of inferd's share of each pair is below LIMIT, or on any error.
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile

import timing
from e2e import models
from e2e.daemon import Daemon

TOOL = os.environ.get("PERF_ANALYZER_DIR") or os.path.join(timing.ROOT, "build", "perf_analyzer")


def start_echo():
    """(process, HOST:PORT) of the echo server."""
    process = subprocess.Popen(
        [os.path.join(timing.BIN, "echo_server"), "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if "grpc=" in line:
            return process, line.split("grpc=")[1].split()[0]
    raise RuntimeError(f"the echo server ended with {process.wait()} before it listened")


def measure(address, model, concurrency, milliseconds):
    """Inferences a second, and p99 in microseconds."""
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.csv")
        command = [os.path.join(TOOL, "bin", "perf_analyzer"), "-i", "grpc", "-u", address]
        command += ["-m", model, "-b", "1", "--concurrency-range", str(concurrency)]
        command += ["-p", str(milliseconds), "-r", "10", "-s", "60", "-f", report]
        environment = {**os.environ, "LD_LIBRARY_PATH": os.path.join(TOOL, "lib")}
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=300
        )
        output = ended.stdout + ended.stderr
        if not os.path.exists(report):
            raise RuntimeError(f"perf_analyzer, exit {ended.returncode}: {output[-2000:]}")
        if "rror" in output:
            print(output[-1500:])
        with open(report, encoding="utf-8") as file:
            row = next(csv.DictReader(file))
        return float(row["Inferences/Second"]), float(row["p99 latency"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", default="1,16,64")
    parser.add_argument("--milliseconds", type=int, default=2000)
    parser.add_argument("--limit", type=float, default=0.8)
    parser.add_argument("flags", nargs="*")
    arguments = parser.parse_args()
    echo, echo_address = start_echo()
    missed = 0
    try:
        with Daemon(
            lambda folder: models.save(folder, "identity", models.identity()), *arguments.flags
        ) as daemon:
            for concurrency in map(int, arguments.concurrency.split(",")):
                rates = {"echo": [], "inferd": []}
                for _ in range(arguments.rounds):
                    for name, address in (("echo", echo_address), ("inferd", daemon.grpc)):
                        rate, p99 = measure(
                            address, "identity", concurrency, arguments.milliseconds
                        )
                        rates[name].append(rate)
                        print(
                            f"  {concurrency:3d} {name:6s} {rate:9.1f}/s p99 {p99:.0f}", flush=True
                        )
                bare, ours = (statistics.median(rates[name]) for name in ("echo", "inferd"))
                # Of pairs: what else the machine does changes from one to the next.
                shares = [b / a for a, b in zip(rates["echo"], rates["inferd"])]
                share = statistics.median(shares)
                print(
                    f"concurrency {concurrency:3d}: echo {bare:.0f}/s, inferd {ours:.0f}/s, "
                    f"{share:.1%} ({min(shares):.1%} to {max(shares):.1%})"
                )
                missed += share < arguments.limit
            failures = sum(
                v
                for k, v in daemon.metrics().items()
                if k.startswith("nv_inference_request_failure")
            )
            print(f"failed requests: {failures:.0f}")
    finally:
        echo.kill()
        echo.wait()
    return 1 if missed or failures else 0


if __name__ == "__main__":
    sys.exit(main())
