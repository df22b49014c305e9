#!/usr/bin/env python3
"""Sequences of different lengths sent at once: each client gets its own, as if it were alone."""

import threading
import unittest

from e2e import models
from e2e.clients import np, onnx, triton
from e2e.daemon import Daemon

WIDTH = 16
LAYERS = 3


def weights(seed, *shape):
    return (np.random.default_rng(seed).standard_normal(shape) / np.sqrt(shape[-1])).astype("f")


TABLE = weights(0, 50, WIDTH)
PRODUCTS = [weights(1 + i, WIDTH, WIDTH) for i in range(LAYERS)]


def tagger():
    """Embeds tokens and passes each through a few layers."""
    proto, helper, value = onnx.TensorProto, onnx.helper, models.value
    nodes = [helper.make_node("Gather", ["table", "ids"], ["x0"])]
    for i in range(LAYERS):
        nodes.append(helper.make_node("MatMul", [f"x{i}", f"w{i}"], [f"y{i}"]))
        nodes.append(helper.make_node("Tanh", [f"y{i}"], [f"x{i + 1}"]))
    constants = [onnx.numpy_helper.from_array(TABLE, "table")]
    constants += [onnx.numpy_helper.from_array(w, f"w{i}") for i, w in enumerate(PRODUCTS)]
    graph = helper.make_graph(
        nodes,
        "tagger",
        [value("ids", proto.INT64, ["batch", "length"])],
        [value(f"x{LAYERS}", proto.FLOAT, ["batch", "length", WIDTH])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def expected(ids):
    x = TABLE[ids]
    for w in PRODUCTS:
        x = np.tanh(x @ w)
    return x


def embedder():
    """Attends to the tokens that the mask counts, and gives their mean."""
    proto, helper, value = onnx.TensorProto, onnx.helper, models.value
    heads = 2
    depth = WIDTH // heads
    constants = {
        "table": TABLE,
        **{name: w for name, w in zip("qkv", PRODUCTS)},
        "heads": np.array([0, 0, heads, depth]),
        "joined": np.array([0, 0, WIDTH]),
        "key_axes": np.array([1, 2]),
        "last": np.array([-1]),
        "one": np.array([1]),
        "ones": np.float32(1),
        "hidden": np.float32(-10000),
        "scale": np.float32(depth**-0.5),
    }
    nodes = [helper.make_node("Gather", ["table", "ids"], ["x"])]
    for name in "qkv":
        order = [0, 2, 3, 1] if name == "k" else [0, 2, 1, 3]
        nodes.append(helper.make_node("MatMul", ["x", name], [f"{name}1"]))
        nodes.append(helper.make_node("Reshape", [f"{name}1", "heads"], [f"{name}2"]))
        nodes.append(helper.make_node("Transpose", [f"{name}2"], [f"{name}3"], perm=order))
    nodes += [
        helper.make_node("Cast", ["mask"], ["counts"], to=proto.FLOAT),
        helper.make_node("Unsqueeze", ["counts", "key_axes"], ["keys"]),
        helper.make_node("Sub", ["ones", "keys"], ["inverse"]),
        helper.make_node("Mul", ["inverse", "hidden"], ["bias"]),
        helper.make_node("MatMul", ["q3", "k3"], ["products"]),
        helper.make_node("Mul", ["products", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["weights"], axis=-1),
        helper.make_node("MatMul", ["weights", "v3"], ["attended"]),
        helper.make_node("Transpose", ["attended"], ["turned"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["turned", "joined"], ["y"]),
        helper.make_node("Unsqueeze", ["counts", "last"], ["column"]),
        helper.make_node("Mul", ["y", "column"], ["counted"]),
        helper.make_node("ReduceSum", ["counted", "one"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["column", "one"], ["count"], keepdims=0),
        helper.make_node("Div", ["sum", "count"], ["mean"]),
    ]
    graph = helper.make_graph(
        nodes,
        "embedder",
        [value(name, proto.INT64, ["batch", "length"]) for name in ("ids", "mask")],
        [value("mean", proto.FLOAT, ["batch", WIDTH])],
        [onnx.numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def expected_mean(ids, mask):
    heads = [(TABLE[ids] @ w).reshape(*ids.shape, 2, -1).swapaxes(1, 2) for w in PRODUCTS]
    scores = heads[0] @ heads[1].swapaxes(2, 3) / np.sqrt(WIDTH // 2)
    weights = np.exp(scores) * mask[:, None, None, :]
    y = (weights / weights.sum(-1, keepdims=True)) @ heads[2]
    y = y.swapaxes(1, 2).reshape(*ids.shape, WIDTH) * mask[:, :, None]
    return y.sum(1) / mask.sum(1, keepdims=True)


def fill(repository):
    models.save(repository, "tagger", tagger())
    models.save(repository, "embedder", embedder())


class MixedLengthsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(fill))

    def ask(self, seed, wrong):
        """A client with requests of its own lengths; notes each wrong answer."""
        random = np.random.default_rng(seed)
        client = self.daemon.client()
        for _ in range(40):
            shape = [int(random.integers(1, 4)), int(random.integers(1, 60))]
            ids = random.integers(0, 50, shape)
            tensor = triton.InferInput("ids", shape, "INT64")
            tensor.set_data_from_numpy(ids)
            answer = client.infer("tagger", [tensor]).as_numpy(f"x{LAYERS}")
            if not np.allclose(answer, expected(ids), atol=1e-5):
                wrong.append(shape)

    def test_every_client_gets_its_own_answer(self):
        wrong = []
        threads = [threading.Thread(target=self.ask, args=(i, wrong)) for i in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        statistics = self.daemon.client().get_inference_statistics("tagger", as_json=True)
        model = statistics["model_stats"][0]
        self.assertEqual(int(model["inference_stats"]["success"]["count"]), 16 * 40)
        self.assertLessEqual(int(model["execution_count"]), 16 * 40)

    def ask_padded(self, seed, wrong):
        """The same with rows of different lengths in each request, some masked in other ways."""
        random = np.random.default_rng(seed)
        client = self.daemon.client()
        for _ in range(30):
            rows, length = int(random.integers(1, 9)), int(random.integers(1, 70))
            ids = random.integers(0, 50, [rows, length])
            lengths = random.integers(1, length + 1, [rows, 1])
            mask = (np.arange(length) < lengths).astype(np.int64)
            if random.integers(0, 4) == 0:
                mask[0] = random.integers(0, 2, length)
                mask[0, -1] = 1
            tensors = [triton.InferInput(name, ids.shape, "INT64") for name in ("ids", "mask")]
            tensors[0].set_data_from_numpy(ids)
            tensors[1].set_data_from_numpy(mask)
            answer = client.infer("embedder", tensors).as_numpy("mean")
            if not np.allclose(answer, expected_mean(ids, mask), atol=1e-5):
                wrong.append((rows, length))

    def test_padding_in_requests_changes_no_answer(self):
        wrong = []
        threads = [threading.Thread(target=self.ask_padded, args=(i, wrong)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_the_log_says_that_lengths_are_mixed_and_padding_is_skipped(self):
        log = self.daemon.log()
        self.assertIn("lengths mixed: every node keeps sequences apart", log)
        self.assertIn("padding within a request is skipped where mask ends in zeros", log)
        self.assertIn("computed: output x3 has an entry for each token", log)


if __name__ == "__main__":
    unittest.main()
