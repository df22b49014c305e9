#!/usr/bin/env python3
"""Separate requests of different lengths, packed by inferd, against a peer's batch of them padded.

usage: mixed_lengths.py [--requests 16] [--shortest 8] [--longest 128] [--rounds 3] [--padded]
       MODEL.onnx
With --padded inferd too gets one batch padded to the longest, of which it skips the padding, and
runs it once more with that switched off. Prints the medians of rounds in turn, and the ratio to the
faster peer. Exits 1 when the answers of real tokens or of rows differ by more than 1e-4 of the
largest.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import timing


def padded_inputs(lengths):
    """The tokens that mixed_lengths.cc makes, padded to the longest, and their mask."""
    longest = max(lengths)
    ids = np.zeros((len(lengths), longest), np.int64)
    mask = np.zeros((len(lengths), longest), np.int64)
    for row, length in enumerate(lengths):
        ids[row, :length] = (7 * np.arange(length) + 13 * length) % 1000
        mask[row, :length] = 1
    return ids, mask


def time_calls(call, seconds):
    call()
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < 3:
        before = time.perf_counter()
        call()
        times.append(time.perf_counter() - before)
    return 1e3 * statistics.median(times)


def peers(path, inputs):
    """Callables by name that run the padded batch; OpenVINO where it is installed."""
    session = timing.session(path)
    calls = {"onnxruntime": lambda: session.run(None, inputs)}
    try:
        import openvino
    except ImportError:
        return calls
    settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(path, "CPU", settings)
    request = compiled.create_infer_request()
    calls["openvino"] = lambda: request.infer(inputs, share_inputs=True)
    return calls


def time_inferd(path, lengths, seconds, folder, how):
    output = os.path.join(folder, "answers.bin")
    command = [os.path.join(timing.BIN, "mixed_lengths"), path, ",".join(map(str, lengths))]
    command += [str(seconds), output, *how]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(ended.stderr.strip())
    return float(ended.stdout), np.fromfile(output, np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--requests", type=int, default=16)
    parser.add_argument("--shortest", type=int, default=8)
    parser.add_argument("--longest", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--padded", action="store_true")
    arguments = parser.parse_args()
    random = np.random.default_rng(0)
    lengths = random.integers(arguments.shortest, arguments.longest + 1, arguments.requests)
    lengths[0] = arguments.longest
    lengths = [int(length) for length in lengths]
    ids, mask = padded_inputs(lengths)
    calls = peers(arguments.model, {"input_ids": ids, "attention_mask": mask})
    ways = {"inferd": []}
    if arguments.padded:
        ways = {"inferd": ["padded"], "inferd, all": ["padded", "skip_padding"]}
    times = {name: [] for name in [*calls, *ways]}
    answers = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(arguments.rounds):
            for name, call in calls.items():
                times[name].append(time_calls(call, arguments.seconds))
            for name, how in ways.items():
                took, answers[name] = time_inferd(
                    arguments.model, lengths, arguments.seconds, folder, how
                )
                times[name].append(took)
    medians = {name: statistics.median(values) for name, values in times.items()}
    expected = calls["onnxruntime"]()[0]
    if expected.shape[: mask.ndim] == mask.shape:
        expected = expected[mask.astype(bool)]
    expected = expected.reshape(-1)
    error = max(np.abs(answer - expected).max() for answer in answers.values())
    error /= np.abs(expected).max()
    padding = mask.size / mask.sum()
    print(f"{len(lengths)} requests, {mask.sum()} tokens, {padding:.2f}x of that padded")
    for name, median in medians.items():
        print(f"{name:12s} {median:9.2f} ms")
    faster = min(medians[name] for name in calls)
    print(f"inferd is {faster / medians['inferd']:.2f}x as fast; error {error:.1e} of the largest")
    return 1 if error > 1e-4 else 0


if __name__ == "__main__":
    sys.exit(main())
