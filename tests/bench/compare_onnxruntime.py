#!/usr/bin/env python3
"""Speed of `inferd bench` against ONNX Runtime, in turn on the same inputs: A B A B A B, medians.

usage: compare_onnxruntime.py [--batch 1,8] [--seconds 2] [--rounds 3] [--limit 1.5] MODEL.onnx...
Prints a line a case and exits 1 when inferd takes more than LIMIT times as long in any of them.
"""

import argparse
import statistics
import sys
import tempfile

import timing


def compare(path, batch, arguments):
    """(ONNX Runtime ms, inferd ms): the medians over the rounds, which alternate."""
    theirs, ours = [], []
    model = timing.session(path, arguments.threads)
    inputs = timing.feed(model, batch, arguments.sequence, arguments.image)
    with tempfile.TemporaryDirectory() as folder:
        given = timing.save_inputs(inputs, folder)
        for _ in range(arguments.rounds):
            theirs.append(timing.time_session(model, inputs, arguments.seconds))
            result = timing.bench_inferd(path, given, arguments.seconds, arguments.threads)
            ours.append(result["latency_ms"]["p50"])
    return statistics.median(theirs), statistics.median(ours)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--batch", default="1", help="batch sizes, such as 1,8")
    parser.add_argument("--sequence", type=int, default=128)
    parser.add_argument("--image", type=int, default=224)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1.5)
    arguments = parser.parse_args()
    slow = 0
    print(f"{'model':36s} {'batch':>5s} {'ort ms':>9s} {'inferd ms':>9s} {'ratio':>6s}")
    for path in arguments.models:
        for batch in map(int, arguments.batch.split(",")):
            name = timing.label(path)
            try:
                theirs, ours = compare(path, batch, arguments)
            except Exception as error:  # one model's failure must not hide the others
                print(f"{name:36s} {batch:5d} FAILED {error}", flush=True)
                slow += 1
                continue
            mark = "" if ours <= arguments.limit * theirs else "  too slow"
            slow += bool(mark)
            line = f"{name:36s} {batch:5d} {theirs:9.3f} {ours:9.3f} {ours / theirs:6.2f}"
            print(line + mark, flush=True)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
