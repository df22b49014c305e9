#!/usr/bin/env python3
"""Speed of LSTM, GRU and RNN against ONNX Runtime, in turn on the same inputs: A B A B, medians.

usage: recurrent_onnxruntime.py [--operators LSTM,GRU,RNN] [--seconds 0.5] [--rounds 3] [--limit 1.1]
Prints a line a case and exits 1 when inferd takes more than LIMIT times as long in any of them, or
their answers differ by more than 1e-5. ONNX Runtime is called with bound inputs and outputs, and
what a call of a model with one Identity costs is taken off its times.
"""

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time

import numpy as np
import onnx
import timing
from onnx import TensorProto, helper, numpy_helper

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
SIZES = [(64, 128), (256, 512)]


def layer(operator, sequence, batch, width, hidden, direction):
    """A model of one recurrent node with constant weights."""
    random = np.random.default_rng(0)
    directions = 2 if direction == "bidirectional" else 1
    rows = GATES[operator] * hidden

    def weights(name, *shape):
        values = random.uniform(-1, 1, shape) / np.sqrt(hidden)
        return numpy_helper.from_array(values.astype(np.float32), name)

    constants = [
        weights("w", directions, rows, width),
        weights("r", directions, rows, hidden),
        weights("b", directions, 2 * rows),
    ]
    attributes = {"hidden_size": hidden, "direction": direction}
    if operator == "GRU":
        attributes["linear_before_reset"] = 1
    node = helper.make_node(operator, ["x", "w", "r", "b"], ["y", "h"], "layer", **attributes)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [sequence, batch, width])
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "yh"]
    return model_of([node], [x], outputs, constants)


def model_of(nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, "bench", inputs, outputs, list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def time_bound(model, inputs, seconds):
    """Median milliseconds of a session with bound inputs and outputs."""
    binding = model.io_binding()
    for name, array in inputs.items():
        binding.bind_cpu_input(name, array)
    for output in model.get_outputs():
        binding.bind_output(output.name)
    for _ in range(3):
        model.run_with_iobinding(binding)
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < 5:
        before = time.perf_counter()
        model.run_with_iobinding(binding)
        times.append(time.perf_counter() - before)
    return 1e3 * statistics.median(times)


def call_cost(folder, seconds):
    """Milliseconds that a call costs ONNX Runtime without any work."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    path = os.path.join(folder, "identity.onnx")
    onnx.save(model_of([helper.make_node("Identity", ["x"], ["y"])], [x], [y]), path)
    return time_bound(timing.session(path), {"x": np.ones(1, np.float32)}, seconds)


def compare(path, arguments, overhead):
    """(ONNX Runtime ms, inferd ms, error): medians over rounds, which alternate."""
    theirs, ours = [], []
    model = timing.session(path, arguments.threads)
    inputs = timing.feed(model, 1)
    with tempfile.TemporaryDirectory() as folder:
        given = timing.save_inputs(inputs, folder)
        for _ in range(arguments.rounds):
            theirs.append(time_bound(model, inputs, arguments.seconds) - overhead)
            result = timing.bench_inferd(path, given, arguments.seconds, arguments.threads)
            ours.append(result["latency_ms"]["p50"])
    expected = model.run(None, inputs)
    got = timing.run_inferd(path, inputs)
    names = [output.name for output in model.get_outputs()]
    error = max(np.abs(got[name] - value).max() for name, value in zip(names, expected))
    return statistics.median(theirs), statistics.median(ours), error


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--operators", default="LSTM,GRU,RNN")
    parser.add_argument("--sequences", default="1,32,256")
    parser.add_argument("--batches", default="1,8")
    parser.add_argument("--directions", default="forward,bidirectional")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1.1)
    arguments = parser.parse_args()
    failures = 0
    print(f"{'layer':44s} {'ort ms':>9s} {'inferd ms':>9s} {'ratio':>6s} {'error':>8s}")
    with tempfile.TemporaryDirectory() as folder:
        overhead = call_cost(folder, arguments.seconds)
        path = os.path.join(folder, "layer.onnx")
        cases = itertools.product(
            arguments.operators.split(","),
            SIZES,
            map(int, arguments.sequences.split(",")),
            map(int, arguments.batches.split(",")),
            arguments.directions.split(","),
        )
        for operator, (width, hidden), sequence, batch, direction in cases:
            onnx.save(layer(operator, sequence, batch, width, hidden, direction), path)
            theirs, ours, error = compare(path, arguments, overhead)
            slow = ours > arguments.limit * theirs
            failures += slow or error > 1e-5
            name = f"{operator} {width}>{hidden} sequence {sequence} batch {batch} {direction[:2]}"
            line = f"{name:44s} {theirs:9.4f} {ours:9.4f} {ours / theirs:6.2f} {error:8.1e}"
            print(line + ("  too slow" if slow else ""), flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
