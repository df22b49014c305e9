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


def fill(repository):
    models.save(repository, "tagger", tagger())


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

    def test_the_log_says_that_lengths_are_mixed(self):
        self.assertIn("lengths mixed: every node keeps sequences apart", self.daemon.log())


if __name__ == "__main__":
    unittest.main()
