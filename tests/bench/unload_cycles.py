#!/usr/bin/env python3
"""Loads, asks and unloads one model again and again; the daemon's memory must come back each time.

usage: unload_cycles.py MODEL.onnx [--cycles 200] [--settle 40] [-- FLAG_OF_SERVE...]
Prints the resident memory after each tenth unload; exits 1 when that after the last cycle is more
than 5 % above the one after the first `settle` cycles, in which threads, their pools and the
allocator's arenas come to their size.
"""

import argparse
import os
import shutil
import sys
import time

import timing  # noqa: F401 -- it finds the tests' packages
from e2e.clients import messages, np
from e2e.daemon import Daemon

SIZES = {"FP32": np.float32, "INT64": np.int64, "INT32": np.int32, "BOOL": np.bool_}
ROWS, LENGTH = 4, 32
TOLERANCE = 0.05
SETTLE_SECONDS = 0.2


def question(client, name):
    """A request of ones for the model as its metadata describes it."""
    asked = messages.ModelInferRequest(model_name=name)
    for given in client.get_model_metadata(name).inputs:
        shape = [size if size > 0 else (ROWS if i == 0 else LENGTH)
                 for i, size in enumerate(given.shape)]
        asked.inputs.add(name=given.name, datatype=given.datatype, shape=shape)
        asked.raw_input_contents.append(np.ones(shape, SIZES[given.datatype]).tobytes())
    return asked


def resident_bytes(process):
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def settled_bytes(process):
    """What is left once background work on the model has let go of it."""
    lowest = resident_bytes(process)
    until = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < until:
        time.sleep(0.02)
        lowest = min(lowest, resident_bytes(process))
    return lowest


def unload(client, name):
    client.unload_model(name)
    while any(model.name == name and model.state != "UNAVAILABLE"
              for model in client.get_model_repository_index().models):
        pass


def run_cycles(daemon, name, cycles, report=None):
    """Resident bytes after each unload."""
    client, stub = daemon.client(), daemon.stub()
    resident = []
    for cycle in range(cycles):
        client.load_model(name)
        stub.ModelInfer(question(client, name))
        unload(client, name)
        resident.append(settled_bytes(daemon.process))
        if report and (cycle + 1) % 10 == 0:
            report(f"{cycle + 1} cycles: {resident[-1] / 2**20:.1f} MiB")
    return resident


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--settle", type=int, default=40)
    parser.add_argument("flags", nargs="*")
    options = parser.parse_args()

    def fill(repository):
        folder = os.path.join(repository, "model", "1")
        os.makedirs(folder)
        shutil.copy(options.model, f"{folder}/model.onnx")

    with Daemon(fill, "--model-control-mode", "explicit", *options.flags) as daemon:
        resident = run_cycles(daemon, "model", options.cycles, print)
    before, after = resident[options.settle - 1], resident[-1]
    print(f"after {options.settle} cycles {before / 2**20:.1f} MiB, after {options.cycles} "
          f"{after / 2**20:.1f} MiB: {after / before - 1:+.1%}")
    return 0 if after <= before * (1 + TOLERANCE) else 1


if __name__ == "__main__":
    sys.exit(main())
