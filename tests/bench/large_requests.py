#!/usr/bin/env python3
"""What a large request costs the server: its processor time over the requests that it answered.

usage: large_requests.py [--kilobytes 588] [--seconds 5] [--rounds 3] [--concurrency 1,8] [-- FLAG_OF_SERVE...]
The model takes rows of that many KiB (an image of 3x224x224 floats has 588) and gives back one
number, so that what is counted is the request's way from the wire to the model.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

import timing
from e2e import models
from e2e.clients import onnx
from e2e.daemon import Daemon

LOADTEST = os.path.join(timing.BIN, "inferd-loadtest")


def first_of_row(width):
    """y is the first number of each row: next to no work."""
    numpy_helper = onnx.numpy_helper
    constants = [numpy_helper.from_array(timing.np.array([value], timing.np.int64), name)
                 for name, value in (("zero", 0), ("one", 1))]
    node = onnx.helper.make_node("Slice", ["x", "zero", "one", "one"], ["y"])
    floats = onnx.TensorProto.FLOAT
    return models.model([node], [models.value("x", floats, ["batch", width])],
                        [models.value("y", floats, ["batch", 1])], constants)


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(daemon, width, concurrency, seconds):
    """Microseconds of the server's processor time a request."""
    before = processor_seconds(daemon.process.pid)
    output = subprocess.run(
        [LOADTEST, "--url", daemon.grpc, "--model", "first", "--shape", f"x=1x{width}", "--json",
         "--warmup", "0", "--concurrency", str(concurrency), "--seconds", str(seconds)],
        capture_output=True, text=True, check=True).stdout
    spent = processor_seconds(daemon.process.pid) - before
    return spent / json.loads(output)["answers"] * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kilobytes", type=int, default=588)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", default="1,8")
    parser.add_argument("flags", nargs="*")
    options = parser.parse_args()
    width = options.kilobytes * 256

    def fill(repository):
        models.save(repository, "first", first_of_row(width))

    with Daemon(fill, *options.flags) as daemon:
        for concurrency in map(int, options.concurrency.split(",")):
            costs = [measure(daemon, width, concurrency, options.seconds)
                     for _ in range(options.rounds)]
            print(f"{concurrency} at once: {statistics.median(costs):.0f} us a request "
                  f"({', '.join(f'{cost:.0f}' for cost in costs)})", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
