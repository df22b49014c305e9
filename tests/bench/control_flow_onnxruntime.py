#!/usr/bin/env python3
"""Speed of Loop, Scan, If and of dynamic segments against ONNX Runtime, in turn: A B A B, medians.

usage: control_flow_onnxruntime.py [--case NAME]... [--seconds 0.5] [--rounds 3] [--limit 1.0]
Prints a line a case and exits 1 when inferd takes more than LIMIT times as long in any of them, or
their answers differ by more than 1e-4.
"""

import argparse
import os
import statistics
import sys
import tempfile

import numpy as np
import onnx
import timing
from agree_onnxruntime import error_of
from onnx import TensorProto, helper, numpy_helper
from recurrent_onnxruntime import call_cost, time_bound

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def weights(name, *shape):
    random = np.random.default_rng(len(name))
    return constant(name, (random.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32))


def small_body(source, result):
    """Ten nodes over [1,64]."""
    chain = ["MatMul:w1", "Add:b1", "Tanh", "Mul:b1", "MatMul:w2", "Sigmoid", "Add:b1", "Neg", "Abs"]
    nodes, last = [], source
    for i, step in enumerate(chain):
        operator, *operand = step.split(":")
        nodes.append(helper.make_node(operator, [last, *operand], [f"{result}_{i}"]))
        last = f"{result}_{i}"
    return nodes + [helper.make_node("Relu", [last], [result])]


SMALL_WEIGHTS = [weights("w1", 64, 64), weights("w2", 64, 64), weights("b1", 1, 64)]


def loop(trips=200):
    body = helper.make_graph(
        [*small_body("s", "t"), helper.make_node("Identity", ["c"], ["d"])],
        "body",
        [value("i", INT64, []), value("c", BOOL, []), value("s", FLOAT, [1, 64])],
        [value("d", BOOL, []), value("t", FLOAT, [1, 64]), value("t", FLOAT, [1, 64])],
    )
    body.output[2].name = "u"
    body.node.append(helper.make_node("Mul", ["t", "b1"], ["u"]))
    node = helper.make_node("Loop", ["trips", "", "x"], ["y", "all"], body=body)
    outputs = [value("y", FLOAT, [1, 64]), value("all", FLOAT, None)]
    counts = constant("trips", np.int64(trips))
    return [node], [value("x", FLOAT, [1, 64])], outputs, [*SMALL_WEIGHTS, counts], {}


def scan(length=200):
    body = helper.make_graph(
        [helper.make_node("Add", ["s", "e"], ["a"]), *small_body("a", "t")],
        "body",
        [value("s", FLOAT, [1, 64]), value("e", FLOAT, [1, 64])],
        [value("t", FLOAT, [1, 64]), value("u", FLOAT, [1, 64])],
    )
    body.node.append(helper.make_node("Mul", ["t", "b1"], ["u"]))
    node = helper.make_node("Scan", ["s0", "x"], ["y", "all"], body=body, num_scan_inputs=1)
    inputs = [value("s0", FLOAT, [1, 64]), value("x", FLOAT, [length, 1, 64])]
    return [node], inputs, [value("y", FLOAT, None), value("all", FLOAT, None)], SMALL_WEIGHTS, {}


def growing(trips=100):
    """A carried value whose shape changes with every iteration."""
    body = helper.make_graph(
        [
            helper.make_node("Concat", ["s", "b1"], ["t"], axis=0),
            helper.make_node("Identity", ["c"], ["d"]),
        ],
        "body",
        [value("i", INT64, []), value("c", BOOL, []), value("s", FLOAT, None)],
        [value("d", BOOL, []), value("t", FLOAT, None)],
    )
    node = helper.make_node("Loop", ["trips", "", "x"], ["y"], body=body)
    counts = constant("trips", np.int64(trips))
    inputs = [value("x", FLOAT, [1, 64])]
    return [node], inputs, [value("y", FLOAT, None)], [SMALL_WEIGHTS[2], counts], {}


def branch():
    def body(name):
        return helper.make_graph(small_body("x", name), name, [], [value(name, FLOAT, [1, 64])])

    node = helper.make_node("If", ["c"], ["y"], then_branch=body("t"), else_branch=body("e"))
    inputs = [value("c", BOOL, []), value("x", FLOAT, [1, 64])]
    given = {"c": np.array(True)}
    return [node], inputs, [value("y", FLOAT, None)], SMALL_WEIGHTS, given


def non_zero():
    """NonZero -> Gather -> MatMul."""
    nodes = [
        helper.make_node("NonZero", ["m"], ["rows2"]),
        helper.make_node("Squeeze", ["rows2", "zero"], ["rows"]),
        helper.make_node("Gather", ["x", "rows"], ["g"], axis=0),
        helper.make_node("MatMul", ["g", "w"], ["p"]),
        helper.make_node("Add", ["p", "b"], ["q"]),
        helper.make_node("Relu", ["q"], ["y"]),
    ]
    inputs = [value("m", FLOAT, [128]), value("x", FLOAT, [128, 512])]
    constants = [weights("w", 512, 512), weights("b", 512), constant("zero", np.zeros(1, np.int64))]
    given = {"m": (np.arange(128) % 3 > 0).astype(np.float32)}
    return nodes, inputs, [value("y", FLOAT, None)], constants, given


def boxes():
    """NonMaxSuppression -> Gather -> RoiAlign -> Conv."""
    nodes = [
        helper.make_node(
            "NonMaxSuppression", ["boxes", "scores", "most", "overlap"], ["kept"]
        ),
        helper.make_node("Gather", ["kept", "two"], ["index"], axis=1),
        helper.make_node("Squeeze", ["boxes", "first"], ["flat"]),
        helper.make_node("Gather", ["flat", "index"], ["rois"], axis=0),
        helper.make_node("Gather", ["kept", "none"], ["batch"], axis=1),
        helper.make_node(
            "RoiAlign",
            ["x", "rois", "batch"],
            ["crops"],
            output_height=14,
            output_width=14,
            sampling_ratio=2,
        ),
        helper.make_node("Conv", ["crops", "w", "b"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["y"]),
    ]
    random = np.random.default_rng(3)
    corners = random.uniform(0, 20, (1, 50, 2))
    given = {
        "boxes": np.concatenate([corners, corners + 10], 2).astype(np.float32),
        "scores": random.uniform(0, 1, (1, 1, 50)).astype(np.float32),
    }
    inputs = [
        value("boxes", FLOAT, [1, 50, 4]),
        value("scores", FLOAT, [1, 1, 50]),
        value("x", FLOAT, [1, 64, 32, 32]),
    ]
    constants = [
        constant("most", np.array([20], np.int64)),
        constant("overlap", np.array([0.5], np.float32)),
        constant("two", np.int64(2)),
        constant("none", np.int64(0)),
        constant("first", np.zeros(1, np.int64)),
        weights("w", 64, 64, 3, 3),
        weights("b", 64),
    ]
    return nodes, inputs, [value("y", FLOAT, None)], constants, given


CASES = {
    "loop": loop,
    "scan": scan,
    "growing": growing,
    "branch": branch,
    "non_zero": non_zero,
    "boxes": boxes,
}


def compare(path, given, arguments, overhead):
    """(ONNX Runtime ms, inferd ms, error): medians over rounds, which alternate."""
    model = timing.session(path, arguments.threads)
    inputs = {**timing.feed(model, 1), **given}
    theirs, ours = [], []
    with tempfile.TemporaryDirectory() as folder:
        files = timing.save_inputs(inputs, folder)
        for _ in range(arguments.rounds):
            theirs.append(time_bound(model, inputs, arguments.seconds) - overhead)
            result = timing.bench_inferd(path, files, arguments.seconds, arguments.threads)
            ours.append(result["latency_ms"]["p50"])
    expected = model.run(None, inputs)
    got = timing.run_inferd(path, inputs)
    names = [output.name for output in model.get_outputs()]
    error = max(error_of(got[name], answer) for name, answer in zip(names, expected))
    return statistics.median(theirs), statistics.median(ours), error


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1.0)
    parser.add_argument("--keep", help="folder to leave the models in")
    arguments = parser.parse_args()
    failures = 0
    print(f"{'case':12s} {'ort ms':>9s} {'inferd ms':>9s} {'ratio':>6s} {'error':>8s}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or temporary
        overhead = call_cost(temporary, arguments.seconds)
        for name in arguments.case or CASES:
            nodes, inputs, outputs, constants, given = CASES[name]()
            graph = helper.make_graph(nodes, name, inputs, outputs, constants)
            opsets = [helper.make_opsetid("", 17)]
            path = os.path.join(folder, f"{name}.onnx")
            onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
            theirs, ours, error = compare(path, given, arguments, overhead)
            slow = ours > arguments.limit * theirs
            failures += slow or error > 1e-4
            line = f"{name:12s} {theirs:9.4f} {ours:9.4f} {ours / theirs:6.2f} {error:8.1e}"
            print(line + ("  too slow" if slow else ""), flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
