#!/usr/bin/env python3
"""TreeEnsemble of ai.onnx.ml 5 on random trees: inferd, both providers, against ONNX Runtime.

Exporters do not write the operator yet, so the models are made here: every mode of test, missing
values, sets of members, every aggregation and post transform, float and double.
"""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from e2e.clients import SKIPPED, np, onnx  # noqa: E402
from e2e.daemon import INFERD  # noqa: E402

try:
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error}; tests/requirements.txt lists what is needed")
    sys.exit(1 if os.environ.get("INFERD_REQUIRE_CLIENTS") else SKIPPED)

FEATURES = 4
MEMBER = 6
MODES = {
    "leq": [0],
    "lt": [1],
    "gte": [2],
    "gt": [3],
    "eq": [4],
    "neq": [5],
    "members": [0, MEMBER],
}
MODES["all"] = [0, 1, 2, 3, 4, 5]
AGGREGATES = {"average": 0, "sum": 1, "min": 2, "max": 3}
# The standard's numbers, and those by which ONNX Runtime knows them.
TRANSFORMS = {"none": (0, 0), "softmax": (1, 2), "logistic": (2, 1), "softmax_zero": (3, 3)}


class Trees:
    """Random trees of one depth, written as the operator's attributes."""

    def __init__(self, random, modes, targets, missing):
        self.random, self.modes, self.targets, self.missing = random, modes, targets, missing
        self.nodes, self.leaves, self.members, self.roots = [], [], [], []

    def add_tree(self, depth):
        self.roots.append(len(self.nodes))
        self._add_node(depth)

    def _add_node(self, depth):
        index = len(self.nodes)
        mode = self.random.choice(self.modes)
        node = {
            "featureids": int(self.random.integers(FEATURES)),
            "modes": int(mode),
            "splits": float(self.random.integers(-4, 5) / 2),
            "missing_value_tracks_true": int(self.missing and self.random.integers(2)),
        }
        self.nodes.append(node)
        if mode == MEMBER:
            # ONNX Runtime keeps sets of small whole numbers only.
            self.members.append(sorted(1 + self.random.choice(8, 3, replace=False)))
            node["splits"] = 0.0
        for side in ("true", "false"):
            is_leaf = depth == 1 or self.random.random() < 0.2
            node[f"{side}leafs"] = int(is_leaf)
            node[f"{side}nodeids"] = self._add_leaf() if is_leaf else self._add_node(depth - 1)
        return index

    def _add_leaf(self):
        self.leaves.append((int(self.random.integers(self.targets)), self.random.standard_normal()))
        return len(self.leaves) - 1

    def attributes(self, kind):
        """The lists; tensors of element type `kind`."""
        tensor = onnx.numpy_helper.from_array
        lists = {f"nodes_{key}": [node[key] for node in self.nodes] for key in self.nodes[0]}
        lists["nodes_splits"] = tensor(np.array(lists["nodes_splits"], kind))
        lists["nodes_modes"] = tensor(np.array(lists["nodes_modes"], np.uint8))
        if not self.missing:
            del lists["nodes_missing_value_tracks_true"]
        lists["tree_roots"] = self.roots
        lists["leaf_targetids"] = [target for target, _ in self.leaves]
        lists["leaf_weights"] = tensor(np.array([weight for _, weight in self.leaves], kind))
        if self.members:
            parted = [[*part, np.nan] for part in self.members]
            lists["membership_values"] = tensor(np.concatenate(parted).astype(kind))
        return lists


def make_model(trees, kind, **attributes):
    node = onnx.helper.make_node(
        "TreeEnsemble",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        n_targets=trees.targets,
        **trees.attributes(kind),
        **attributes,
    )
    element = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [node],
        "trees",
        [value("x", element, [None, FEATURES])],
        [value("y", element, [None, trees.targets])],
    )
    opsets = [onnx.helper.make_opsetid("", 21), onnx.helper.make_opsetid("ai.onnx.ml", 5)]
    return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10)


def cases():
    """(name, model, the model that tells ONNX Runtime the same, inputs)"""
    random = np.random.default_rng(0)
    for mode, modes in MODES.items():
        for missing in (False, True):
            for kind in (np.float32, np.float64):
                trees = Trees(random, modes, 1 + len(mode) % 3, missing)
                for depth in (1, 3, 5, 2, 4, 6, 3, 3, 3, 3):
                    trees.add_tree(depth)
                rows = random.integers(-4, 10, (37, FEATURES)) / (1 if MEMBER in modes else 2)
                if missing:
                    rows[random.random(rows.shape) < 0.2] = np.nan
                name = f"{mode}_{'missing_' if missing else ''}{np.dtype(kind).name}"
                made = make_model(trees, kind)
                yield name, made, made, rows.astype(kind)
    for name, aggregate in AGGREGATES.items():
        for transform, codes in TRANSFORMS.items():
            trees = Trees(random, [0], 3, False)
            for _ in range(9):
                trees.add_tree(4)
            rows = random.standard_normal((20, FEATURES)).astype(np.float32)
            made = [
                make_model(trees, np.float32, aggregate_function=aggregate, post_transform=code)
                for code in codes
            ]
            yield f"{name}_{transform}", *made, rows


def write(folder, model, oracle, rows):
    """As a test folder whose expected output is ONNX Runtime's."""
    session = onnxruntime.InferenceSession(
        oracle.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    data = os.path.join(folder, "test_data_set_0")
    os.makedirs(data)
    onnx.save(model, os.path.join(folder, "model.onnx"))
    for file_name, array in (("input_0", rows), ("output_0", session.run(None, {"x": rows})[0])):
        with open(os.path.join(data, f"{file_name}.pb"), "wb") as file:
            file.write(onnx.numpy_helper.from_array(array, file_name).SerializeToString())


def main():
    status = 0
    with tempfile.TemporaryDirectory(prefix="inferd-test-") as root:
        for name, *case in cases():
            write(os.path.join(root, name), *case)
        for provider in ("cpu", "portable"):
            command = [INFERD, "test", "--provider", provider, "--rtol", "1e-5", "--atol", "1e-6"]
            status |= subprocess.run([*command, root], check=False).returncode
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
