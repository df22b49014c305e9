#!/usr/bin/env python3
"""Resident memory of open connections after one request each: inferd beside a bare gRPC echo server.

usage: connection_memory.py [--connections 10000] [--limit 1.1]
The clients are plain sockets. Exits 1 when inferd, all of it, holds more than LIMIT times what the
echo server holds, or when a request fails.
"""

import argparse
import os
import resource
import sys
import time

import timing  # noqa: F401 -- it finds the tests' packages
from e2e import models
from e2e.calls import identity_request
from e2e.daemon import Daemon
from e2e.http2 import Http2
from perf_identity import start_echo

METHOD = "/inference.GRPCInferenceService/ModelInfer"
BATCH = 100


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def connect(address, count):
    """So many connections, each with a request that was answered."""
    message = identity_request().SerializeToString()
    connections = []
    while len(connections) < count:
        fresh = [Http2(address) for _ in range(min(BATCH, count - len(connections)))]
        for connection in fresh:
            connection.begin_call(METHOD, message)
        if any(connection.end_call() is None for connection in fresh):
            raise RuntimeError("a request failed")
        connections += fresh
    return connections


def measure(name, pid, address, count):
    """Resident bytes before and with the connections."""
    for connection in connect(address, BATCH):
        connection.close()
    time.sleep(1)
    before = resident_bytes(pid)
    connections = connect(address, count)
    time.sleep(2)
    after = resident_bytes(pid)
    for connection in connections:
        connection.close()
    print(f"{name:7s} {before / 2**20:6.1f} MiB, with {count} connections {after / 2**20:6.1f} MiB: "
          f"{(after - before) / count / 1024:.1f} KiB each", flush=True)
    return after


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("--limit", type=float, default=1.1)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    echo, address = start_echo()
    try:
        theirs = measure("echo", echo.pid, address, options.connections)
    finally:
        echo.kill()
        echo.wait()
    with Daemon(lambda folder: models.save(folder, "identity", models.identity())) as daemon:
        ours = measure("inferd", daemon.process.pid, daemon.grpc, options.connections)
    print(f"inferd holds {ours / theirs:.1%} of what the echo server holds")
    return 0 if ours <= theirs * options.limit else 1


if __name__ == "__main__":
    sys.exit(main())
