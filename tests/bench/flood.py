#!/usr/bin/env python3
"""100 clients send 64 MiB each at once to a daemon in a cgroup of 1 GiB: refusals, never a kill.

usage: flood.py [--clients 100] [--megabytes 64] [--limit-megabytes 1024] [--seconds 30]
Where no cgroup can be made the limit is checked by watching the daemon's peak resident memory.
Exits 1 when the daemon dies, goes over the limit, or does not answer a small request afterwards.
"""

import argparse
import multiprocessing
import os
import sys
import time

import timing  # noqa: F401, puts tests/ on the path
from e2e import models
from e2e.calls import identity_request, request, tensor
from e2e.clients import grpc
from e2e.daemon import Daemon

METHOD = "/inference.GRPCInferenceService/ModelInfer"


def make_cgroup(limit_bytes):
    """A new cgroup with that memory limit, version 2 or 1, or None where that is not allowed."""
    name = f"inferd-flood-{os.getpid()}"
    places = [("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")]
    for root, setting in places:
        folder = os.path.join(root, name)
        try:
            # Elsewhere a folder is only a folder.
            if not os.path.exists(os.path.join(root, "cgroup.procs")):
                continue
            os.mkdir(folder)
            with open(os.path.join(folder, setting), "w", encoding="utf-8") as file:
                file.write(str(limit_bytes))
            return folder
        except OSError:
            if os.path.isdir(folder):
                os.rmdir(folder)
    return None


def enter(cgroup, pid):
    with open(os.path.join(cgroup, "cgroup.procs"), "w", encoding="utf-8") as file:
        file.write(str(pid))


def memory(pid, field):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field)) * 1024


def client(address, data, barrier, end, results):
    """Sends the big request, refused or not, until the end."""
    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    channel = grpc.insecure_channel(address, options=options)
    call = channel.unary_unary(METHOD, lambda message: message, lambda message: len(message))
    barrier.wait(120)
    counts = {}
    while time.monotonic() < end.value:
        try:
            call(data, timeout=30)
            code = "OK"
        except grpc.RpcError as error:
            code = error.code().name
        counts[code] = counts.get(code, 0) + 1
    results.put(counts)


def row_width(arguments):
    """Floats of one row, a little below the limit of a message: memory decides, not that limit."""
    return ((arguments.megabytes << 20) - 4096) // 4


def flood(address, arguments):
    """Runs the clients, each a process; returns the sum of their status codes."""
    barrier = multiprocessing.Barrier(arguments.clients + 1)
    end, results = multiprocessing.Value("d", 0.0), multiprocessing.Queue()
    # Made once and shared by the processes, so that the clients' memory is not the limit.
    width = row_width(arguments)
    message = request("wide", [tensor("x", "FP32", [1, width])], [bytes(width * 4)])
    data = message.SerializeToString()
    processes = [
        multiprocessing.Process(target=client, args=(address, data, barrier, end, results))
        for _ in range(arguments.clients)
    ]
    for process in processes:
        process.start()
    end.value = time.monotonic() + arguments.seconds + 60
    barrier.wait(120)
    end.value = time.monotonic() + arguments.seconds
    total = {}
    for _ in processes:
        for code, count in results.get(timeout=arguments.seconds + 120).items():
            total[code] = total.get(code, 0) + count
    for process in processes:
        process.join()
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--limit-megabytes", type=int, default=1024)
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()
    limit = arguments.limit_megabytes << 20
    cgroup = make_cgroup(limit)

    def fill(folder):
        models.save(folder, "identity", models.identity())
        models.save(folder, "wide", models.identity(width=row_width(arguments)))

    # The daemon reads its limit when it starts, so it is born in the cgroup; this process leaves.
    if cgroup:
        enter(cgroup, os.getpid())
    with Daemon(fill) as daemon:
        if cgroup:
            enter(os.path.dirname(cgroup), os.getpid())
        how = f"by {cgroup}" if cgroup else "watched: no cgroup can be made"
        print(f"limit {limit >> 20} MiB, {how}", flush=True)
        codes = flood(daemon.grpc, arguments)
        alive = daemon.process.poll() is None
        peak = memory(daemon.process.pid, "VmHWM") if alive else 0
        print(f"codes {codes}; peak {peak / 2**20:.0f} MiB; {'alive' if alive else 'DEAD'}")
        answered = False
        if alive:
            sent = identity_request()
            answer = daemon.stub().ModelInfer(sent, timeout=30)
            answered = answer.raw_output_contents[0] == sent.raw_input_contents[0]
            rest = memory(daemon.process.pid, "VmRSS") / 2**20
            print(f"after it: {rest:.0f} MiB, answers: {answered}")
            daemon.stop()
    if cgroup:
        os.rmdir(cgroup)
    # A cgroup counts for itself; the peak counts shared libraries, too.
    return 0 if alive and answered and (cgroup or peak < limit) else 1


if __name__ == "__main__":
    sys.exit(main())
