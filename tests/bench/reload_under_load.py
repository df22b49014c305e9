#!/usr/bin/env python3
"""New versions of a model under load: no request may fail, and the tail may hardly grow.

usage: reload_under_load.py MODEL.onnx [--shape NAME=1x32]... [--swaps 50] [--every 5]
                            [--share 0.7] [--baseline 60] [--limit 1.5] [-- FLAG_OF_SERVE...]
Measures the closed-loop capacity, then sends SHARE of it as an open loop: for BASELINE seconds
without a change, and while a new version replaces the one before every EVERY seconds. Exits 1 when
a request failed or the 99th percentile with changes is over LIMIT times the one without.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time

import timing
from e2e.daemon import Daemon

LOADTEST = os.path.join(timing.BIN, "inferd-loadtest")
CAPACITY_SECONDS, CONCURRENCY, WARM_UP_SECONDS = 10, 8, 2


def put_version(repository, version):
    """A version that is there at once, as deployments should do it.

    It is a link to the copy beside the repository: copying would keep a core busy that the daemon
    is measured on.
    """
    folder = os.path.join(repository, "model")
    os.makedirs(f"{folder}/.new")
    os.link(source_of(repository), f"{folder}/.new/model.onnx")
    os.rename(f"{folder}/.new", f"{folder}/{version}")


def source_of(repository):
    return os.path.join(os.path.dirname(repository), "model.onnx")


def start_load(address, shapes, seconds, *mode):
    command = [LOADTEST, "--url", address, "--model", "model", "--json", "--warmup",
               str(WARM_UP_SECONDS), "--seconds", str(seconds), *mode]
    for shape in shapes:
        command += ["--shape", shape]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def report_of(process):
    output = process.communicate()[0]
    if process.returncode not in (0, 1) or not output:
        raise RuntimeError(f"the load generator ended with {process.returncode}")
    return json.loads(output)


def swap(daemon, options, times):
    """Replaces the version again and again; appends what each change took."""
    client = daemon.client()
    begin = time.monotonic()
    for i in range(options.swaps):
        time.sleep(max(0, begin + i * options.every - time.monotonic()))
        start = time.monotonic()
        put_version(daemon.models, i + 2)
        client.load_model("model")
        times.append(time.monotonic() - start)
        shutil.rmtree(f"{daemon.models}/model/{i + 1}")


def describe(name, report):
    latency = report["latency_ms"]
    failed = sum(report["errors"].values()) + report["unsent"]
    print(f"{name}: {report['rate']:.1f}/s, p50 {latency['p50']:.2f} ms, p99 {latency['p99']:.2f} "
          f"ms, max {latency['max']:.1f} ms, failed {failed} {report['errors'] or ''}", flush=True)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--shape", action="append", default=[])
    parser.add_argument("--swaps", type=int, default=50)
    parser.add_argument("--every", type=float, default=5)
    parser.add_argument("--share", type=float, default=0.7)
    parser.add_argument("--baseline", type=float, default=60)
    parser.add_argument("--limit", type=float, default=1.5)
    parser.add_argument("flags", nargs="*")
    options = parser.parse_args()

    def fill(repository):
        shutil.copy(options.model, source_of(repository))
        put_version(repository, 1)

    with Daemon(fill, "--model-control-mode", "explicit", "--load-model", "*",
                *options.flags) as daemon:
        capacity = report_of(start_load(daemon.grpc, options.shape, CAPACITY_SECONDS,
                                        "--concurrency", str(CONCURRENCY)))
        failed = describe(f"closed loop of {CONCURRENCY}", capacity)
        rate = ("--rate", f"{capacity['rate'] * options.share:.1f}")
        without = report_of(start_load(daemon.grpc, options.shape, options.baseline, *rate))
        failed += describe("without changes", without)
        seconds = options.swaps * options.every
        load = start_load(daemon.grpc, options.shape, seconds, *rate)
        time.sleep(WARM_UP_SECONDS)
        times = []
        changes = threading.Thread(target=swap, args=(daemon, options, times))
        changes.start()
        changed = report_of(load)
        changes.join()
        failed += describe(f"with {len(times)} changes", changed)
    ratio = changed["latency_ms"]["p99"] / without["latency_ms"]["p99"]
    print(f"a change takes {sorted(times)[len(times) // 2]:.2f} s; p99 {ratio:.2f} times as long")
    return 0 if failed == 0 and len(times) == options.swaps and ratio <= options.limit else 1


if __name__ == "__main__":
    sys.exit(main())
