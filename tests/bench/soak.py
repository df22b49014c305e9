#!/usr/bin/env python3
"""Mixed load over the example models with malformed requests among it; memory must stay flat.

usage: soak.py [--minutes 10] [--models DIR] [--threads 8]
Every answer is compared with the first to the same question. Prints memory each ten seconds;
exits 1 on a crash, a wrong answer or status code, or resident memory that grows by more than 2 %
or 8 MiB over the time after the first minute.
"""

import argparse
import os
import random
import shutil
import sys
import threading
import time

import timing
from e2e.calls import request, tensor
from e2e.clients import grpc, np
from e2e.daemon import Daemon

EXAMPLES = os.path.join(timing.ROOT, "config", "examples", "models")
FETCHED = os.path.join(timing.ROOT, "build", "quickstart", "models")


def words(rows, generator):
    chosen = generator.choice(["grocery", "fuel", "travel", "nowhere"], size=(rows, 1))
    return b"".join(len(w).to_bytes(4, "little") + w.encode() for w in chosen.ravel())


def questions(available):
    """Good requests of every example, several sizes each, always the same."""
    generator = np.random.default_rng(0)
    made = []
    for rows in (1, 2, 5, 32):
        image = generator.uniform(0, 16, (rows, 1, 8, 8)).astype(np.float32)
        made.append(request("digits", [tensor("image", "FP32", image.shape)], [image.tobytes()]))
        columns = [generator.uniform(0, 23, (rows, 1)).astype(np.float32) for _ in range(3)]
        inputs = [tensor(n, "FP32", [rows, 1]) for n in ("amount", "distance_km", "hour")]
        inputs.append(tensor("merchant", "BYTES", [rows, 1]))
        raw = [c.tobytes() for c in columns] + [words(rows, generator)]
        made.append(request("fraud", inputs, raw))
        tokens = generator.integers(0, 257, (rows, 2048)).astype(np.int32)
        made.append(
            request("filetype", [tensor("bytes", "INT32", tokens.shape)], [tokens.tobytes()])
        )
    return [question for question in made if question.model_name in available]


def spoil(question, dice):
    """A malformed variant that must be refused."""
    bad = type(question)()
    bad.CopyFrom(question)
    kind = dice.randrange(6)
    if kind == 0:
        bad.raw_input_contents[0] = bad.raw_input_contents[0][:-1]
    elif kind == 1:
        bad.inputs[0].shape[0] = -1
    elif kind == 2:
        bad.inputs[0].datatype = "FP64"
    elif kind == 3:
        bad.inputs[0].name = "nobody"
    elif kind == 4:
        bad.inputs[0].shape[0] = 1 << 62
    else:
        bad.model_name = "nobody"
    return bad


class Load:
    """The clients' shared state. Thread-safe."""

    def __init__(self, daemon, made):
        self.daemon, self.made = daemon, made
        self.stop, self.lock = threading.Event(), threading.Lock()
        self.answers, self.counts, self.problems = {}, {}, []

    def check(self, index, answer):
        with self.lock:
            first = self.answers.setdefault(index, answer)
            self.counts["answered"] = self.counts.get("answered", 0) + 1
            for ours, theirs, output in zip(answer, first, range(99)):
                a, b = np.frombuffer(ours, np.float32), np.frombuffer(theirs, np.float32)
                # Batches of other sizes may sum in another order.
                if ours != theirs and not np.allclose(a, b, rtol=1e-4, atol=1e-5):
                    self.problems.append(f"question {index} output {output}: another answer")

    def run(self, seed):
        dice, stub = random.Random(seed), self.daemon.stub()
        garbage = self.daemon.channel().unary_unary(
            "/inference.GRPCInferenceService/ModelInfer", lambda data: data, lambda data: data
        )
        while not self.stop.is_set() and len(self.problems) < 20:
            index = dice.randrange(len(self.made))
            try:
                luck = dice.random()
                if luck < 0.02:
                    garbage(dice.randbytes(dice.randrange(2000)), timeout=30)
                elif luck < 0.15:
                    stub.ModelInfer(spoil(self.made[index], dice), timeout=30)
                    self.problems.append("a malformed request was answered")
                else:
                    answer = stub.ModelInfer(self.made[index], timeout=30)
                    self.check(index, list(answer.raw_output_contents))
            except grpc.RpcError as error:
                self.refused(error, luck)

    def refused(self, error, luck):
        code = error.code()
        expected = (
            grpc.StatusCode.INVALID_ARGUMENT,
            grpc.StatusCode.NOT_FOUND,
            grpc.StatusCode.INTERNAL,
        )
        with self.lock:
            self.counts[code.name] = self.counts.get(code.name, 0) + 1
            if luck >= 0.15 or code not in expected:
                self.problems.append(f"{code.name}: {error.details()}")


def resident(process):
    with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) * 1024


def watch(daemon, load, minutes):
    """Prints memory; returns its growth after the first minute, by the line of best fit."""
    start, samples = time.monotonic(), []
    while time.monotonic() - start < minutes * 60 and daemon.process.poll() is None:
        time.sleep(2)
        now = time.monotonic() - start
        samples.append((now, resident(daemon.process)))
        if len(samples) % 5 == 0:
            print(f"{now:5.0f} s  {samples[-1][1] / 2**20:.1f} MiB  {load.counts}", flush=True)
        if load.problems:
            break
    late = [sample for sample in samples if sample[0] >= min(60, minutes * 30)]
    if len(late) < 3:
        return 0, samples[-1][1]
    slope = np.polyfit(*np.array(late).T, 1)[0]
    return slope * (late[-1][0] - late[0][0]), late[0][1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--models", default=FETCHED if os.path.isdir(FETCHED) else EXAMPLES)
    arguments = parser.parse_args()
    with Daemon(
        lambda folder: shutil.copytree(arguments.models, folder, dirs_exist_ok=True)
    ) as daemon:
        load = Load(daemon, questions(os.listdir(daemon.models)))
        threads = [threading.Thread(target=load.run, args=(i,)) for i in range(arguments.threads)]
        for thread in threads:
            thread.start()
        growth, base = watch(daemon, load, arguments.minutes)
        load.stop.set()
        for thread in threads:
            thread.join()
        alive = daemon.process.poll() is None
        exit_code = daemon.stop() if alive else daemon.process.returncode
    flat = growth < max(0.02 * base, 8 << 20)
    print(f"{load.counts}; exit {exit_code}")
    print(f"memory {base / 2**20:.1f} MiB, grew by {growth / 2**20:.2f} MiB")
    for problem in load.problems[:20]:
        print(f"problem: {problem}")
    return 0 if alive and flat and exit_code == 0 and not load.problems else 1


if __name__ == "__main__":
    sys.exit(main())
