#!/usr/bin/env python3
"""Tree ensembles with `inferd bench` against ONNX Runtime, in turn on the same inputs: medians.

usage: trees_onnxruntime.py [--batch 1,1000] [--seconds 1] [--rounds 5] [--limit 1.0]

Prints a line a case and exits 1 when inferd takes more than LIMIT times as long in any of them. The
trees are complete, their tests and leaves random: a regressor, and a classifier of three classes
whose leaves vote for each. ONNX Runtime's time includes its Python call, about 5 us: at batch 1 the
last column shows the ratio without the time of the same call on a model of one stump.
"""

import argparse
import os
import statistics
import sys
import tempfile

import numpy as np
import onnx
import timing
from onnx import TensorProto, helper

FEATURES = 30
ENSEMBLES = ((100, 6), (500, 8))


def nodes_of(trees, depth, random):
    """The node attributes of complete trees whose nodes are numbered level by level."""
    inner = 2**depth - 1
    count = 2 * inner + 1
    ids = np.arange(count)
    is_leaf = ids >= inner
    values = np.where(is_leaf, 0, random.standard_normal((trees, count))).astype(np.float32)
    features = np.where(is_leaf, 0, random.integers(0, FEATURES, (trees, count)))
    modes = ["LEAF" if leaf else "BRANCH_LEQ" for leaf in is_leaf]
    return {
        "nodes_treeids": np.repeat(np.arange(trees), count),
        "nodes_nodeids": np.tile(ids, trees),
        "nodes_featureids": features.ravel(),
        "nodes_values": values.ravel(),
        "nodes_modes": modes * trees,
        "nodes_truenodeids": np.tile(np.where(is_leaf, 0, 2 * ids + 1), trees),
        "nodes_falsenodeids": np.tile(np.where(is_leaf, 0, 2 * ids + 2), trees),
    }


def votes_of(prefix, trees, depth, targets, random):
    inner = 2**depth - 1
    leaves = np.arange(inner, 2 * inner + 1)
    count = trees * len(leaves) * targets
    return {
        f"{prefix}_treeids": np.repeat(np.arange(trees), len(leaves) * targets),
        f"{prefix}_nodeids": np.tile(np.repeat(leaves, targets), trees),
        f"{prefix}_ids": np.tile(np.arange(targets), trees * len(leaves)),
        f"{prefix}_weights": random.random(count, dtype=np.float32),
    }


def ensemble(kind, trees, depth):
    """A model of one ensemble: kind is Regressor or Classifier."""
    random = np.random.default_rng(0)
    attributes = nodes_of(trees, depth, random)
    if kind == "Regressor":
        outputs = [("y", TensorProto.FLOAT, [None, 1])]
        attributes |= votes_of("target", trees, depth, 1, random) | {"n_targets": 1}
    else:
        outputs = [("label", TensorProto.INT64, [None]), ("y", TensorProto.FLOAT, [None, 3])]
        attributes |= votes_of("class", trees, depth, 3, random)
        attributes["classlabels_int64s"] = [0, 1, 2]
    lists = {k: v.tolist() if hasattr(v, "tolist") else v for k, v in attributes.items()}
    name = f"TreeEnsemble{kind}"
    node = helper.make_node(name, ["x"], [o[0] for o in outputs], domain="ai.onnx.ml", **lists)
    graph = helper.make_graph(
        [node],
        "trees",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, FEATURES])],
        [helper.make_tensor_value_info(*output) for output in outputs],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def compare(path, stump, batch, arguments):
    """Medians over the rounds in ms: ONNX Runtime, its stump, inferd."""
    times = {"theirs": [], "call": [], "ours": []}
    model, call = timing.session(path), timing.session(stump)
    inputs = timing.feed(model, batch)
    with tempfile.TemporaryDirectory() as folder:
        given = timing.save_inputs(inputs, folder)
        for _ in range(arguments.rounds):
            times["theirs"].append(timing.time_session(model, inputs, arguments.seconds))
            times["call"].append(timing.time_session(call, inputs, arguments.seconds / 4))
            result = timing.bench_inferd(path, given, arguments.seconds)
            times["ours"].append(result["latency_ms"]["p50"])
    return [statistics.median(values) for values in times.values()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--batch", default="1,1000", help="batch sizes, such as 1,1000")
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=1.0)
    arguments = parser.parse_args()
    slow = 0
    print("kind        trees depth batch    ort us inferd us  ratio  ratio without call")
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("Regressor", "Classifier"):
            stump = os.path.join(folder, "stump.onnx")
            onnx.save(ensemble(kind, 1, 1), stump)
            for trees, depth in ENSEMBLES:
                path = os.path.join(folder, "trees.onnx")
                onnx.save(ensemble(kind, trees, depth), path)
                for batch in map(int, arguments.batch.split(",")):
                    theirs, call, ours = compare(path, stump, batch, arguments)
                    slow += ours > arguments.limit * theirs
                    print(
                        f"{kind:10s} {trees:6d} {depth:5d} {batch:5d} {1e3 * theirs:9.1f}"
                        f" {1e3 * ours:9.1f} {ours / theirs:6.2f} {ours / (theirs - call):6.2f}",
                        flush=True,
                    )
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
