#!/usr/bin/env python3
"""Accuracy of `inferd run` against ONNX Runtime's unoptimised fp32 answers on the same inputs.

usage: agree_onnxruntime.py [--limit 1e-4] [--shape NAME=1x512,3x512]... [--value NAME=16000]...
                            MODEL.onnx...
Batches 1 and 3 and two sequence lengths each, or with --shape one case for each of the longest list
of shapes (shorter lists repeat their last). The error is max |a - b| / max |b| over each output,
texts and integers must be equal. Prints a line a case; exit 1 when one is over the limit.
"""

import argparse
import sys

import numpy as np
import timing


def error_of(ours, theirs):
    """The error of one output; infinite when shapes or exact values differ."""
    if ours.shape != theirs.shape:
        return float("inf")
    if theirs.dtype == np.object_ or ours.dtype.kind == "S":
        same = [str(b).encode() if isinstance(b, str) else b for b in theirs.ravel()]
        return 0.0 if list(ours.ravel()) == same else float("inf")
    if theirs.dtype.kind in "biu":
        return 0.0 if np.array_equal(ours, theirs) else float("inf")
    if theirs.size == 0:
        return 0.0
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    if not np.array_equal(np.isfinite(ours), np.isfinite(theirs)):
        return float("inf")
    finite = np.isfinite(theirs)
    if not finite.any():
        return 0.0
    scale = np.abs(theirs[finite]).max() or 1.0
    return float(np.abs(ours[finite] - theirs[finite]).max() / scale)


def sizes(text):
    """"1x512" as [1, 512]; a scalar is empty."""
    return [int(size) for size in text.split("x") if size]


def cases(model, arguments):
    """(label, feed's arguments) for every case."""
    if arguments.shape:
        lists = dict(given.split("=") for given in arguments.shape)
        lists = {name: list(map(sizes, text.split(","))) for name, text in lists.items()}
        for i in range(max(map(len, lists.values()))):
            shapes = {name: of[min(i, len(of) - 1)] for name, of in lists.items()}
            label = " ".join(f"{name}={'x'.join(map(str, of))}" for name, of in shapes.items())
            yield label, {"batch": 1, "seed": i, "shapes": shapes}
        return
    open_rank = [
        len(i.shape) < 4 and any(not isinstance(d, int) for d in i.shape[1:])
        for i in model.get_inputs()
    ]
    sequences = arguments.sequences.split(",") if any(open_rank) else ["0"]
    for batch in map(int, arguments.batches.split(",")):
        for sequence in map(int, sequences):
            seed = batch * 1000 + sequence
            label = f"batch {batch} sequence {sequence:4d}"
            yield label, {"batch": batch, "sequence": sequence, "seed": seed}


def check(path, model, inputs):
    expected = dict(zip([o.name for o in model.get_outputs()], model.run(None, inputs)))
    got = timing.run_inferd(path, inputs)
    worst = 0.0
    for name, theirs in expected.items():
        ours = got.get(name)
        if ours is None:
            raise RuntimeError(f"no output {name}; got {sorted(got)}")
        worst = max(worst, error_of(ours, np.asarray(theirs)))
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--limit", type=float, default=1e-4)
    parser.add_argument("--sequences", default="32,77")
    parser.add_argument("--batches", default="1,3")
    parser.add_argument("--image", type=int, default=224)
    parser.add_argument("--shape", action="append", default=[], help="NAME=1x512,3x512")
    parser.add_argument("--value", action="append", default=[], help="NAME=16000: all elements")
    arguments = parser.parse_args()
    values = {name: float(number) for name, number in (v.split("=") for v in arguments.value)}
    failures = 0
    for path in arguments.models:
        model = timing.session(path, threads=2, optimised=False)
        for case, given in cases(model, arguments):
            name = f"{timing.label(path):36s} {case}"
            try:
                inputs = timing.feed(model, image=arguments.image, values=values, **given)
                error = check(path, model, inputs)
                bad = not error <= arguments.limit
                print(f"{name} error {error:.2e}{'  OVER THE LIMIT' if bad else ''}", flush=True)
            except Exception as problem:  # one model's failure must not hide the others
                bad = True
                print(f"{name} FAILED {problem}", flush=True)
            failures += bad
    print(f"{failures} of the cases disagree" if failures else "all agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
