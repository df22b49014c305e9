#!/usr/bin/env python3
"""Classifiers whose scores are maps in ONNX: clients get a matrix and the names of its columns."""

import json
import unittest

from e2e import models
from e2e.clients import np, onnx, triton
from e2e.daemon import Daemon

FLOWERS = ["setosa", "versicolor", "virginica"]
WEIGHTS = np.array([[1, 0, -1, 0], [0, 1, 0, -1], [-1, 0, 1, 1]], np.float32)
ROWS = np.array([[3, 1, 0, 0], [0, 1, 3, 2], [0, 4, 1, 0]], np.float32)
SCORES = ROWS @ WEIGHTS.T


def classifier(classes, both=False):
    """A linear classifier as scikit-learn exports write it: labels, and a map of scores a row."""
    kind = "classlabels_strings" if isinstance(classes[0], str) else "classlabels_int64s"
    linear_kind = kind.replace("_int64s", "_ints")
    proto, helper, value = onnx.TensorProto, onnx.helper, models.value
    label = proto.STRING if isinstance(classes[0], str) else proto.INT64
    scores = helper.make_map_type_proto(label, helper.make_tensor_type_proto(proto.FLOAT, shape=[]))
    nodes = [
        helper.make_node(
            "LinearClassifier",
            ["x"],
            ["label", "scores"],
            domain="ai.onnx.ml",
            coefficients=WEIGHTS.ravel().tolist(),
            intercepts=[0.0] * len(classes),
            **{linear_kind: classes},
        ),
        helper.make_node("ZipMap", ["scores"], ["maps"], domain="ai.onnx.ml", **{kind: classes}),
    ]
    outputs = [
        value("label", label, [None]),
        helper.make_value_info("maps", helper.make_sequence_type_proto(scores)),
    ]
    if both:
        outputs.append(value("scores", proto.FLOAT, [None, len(classes)]))
    graph = helper.make_graph(nodes, "flowers", [value("x", proto.FLOAT, [None, 4])], outputs)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def fill(repository):
    models.save(repository, "names", classifier(FLOWERS))
    models.save(repository, "numbers", classifier([10, 20, 30], both=True))


class ClassifierTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(fill))
        cls.client = cls.daemon.client()

    def infer(self, model):
        rows = triton.InferInput("x", list(ROWS.shape), "FP32")
        rows.set_data_from_numpy(ROWS)
        return self.client.infer(model, [rows])

    def test_scores_come_as_a_matrix_and_string_labels_as_bytes(self):
        answer = self.infer("names")
        np.testing.assert_allclose(answer.as_numpy("maps"), SCORES, rtol=1e-6)
        winners = [FLOWERS[i].encode() for i in SCORES.argmax(axis=1)]
        self.assertEqual(answer.as_numpy("label").tolist(), winners)

    def test_number_labels_are_integers_and_scores_may_be_asked_for_twice(self):
        answer = self.infer("numbers")
        self.assertEqual(answer.as_numpy("label").tolist(), [10, 30, 20])
        np.testing.assert_allclose(answer.as_numpy("maps"), SCORES, rtol=1e-6)
        np.testing.assert_array_equal(answer.as_numpy("maps"), answer.as_numpy("scores"))

    def test_metadata_and_config_name_the_columns(self):
        for model, classes in (("names", FLOWERS), ("numbers", ["10", "20", "30"])):
            metadata = self.client.get_model_metadata(model)
            maps = next(output for output in metadata.outputs if output.name == "maps")
            self.assertEqual((maps.datatype, list(maps.shape)), ("FP32", [-1, 3]))
            # This client's message lacks `properties`, which are field 6.
            self.assertIn(json.dumps(classes).encode(), metadata.SerializeToString())
            config = self.client.get_model_config(model).config
            told = config.parameters["class_names.maps"].string_value
            self.assertEqual(json.loads(told), classes)

    def test_rows_are_batched_as_in_any_other_model(self):
        self.assertEqual(self.client.get_model_config("names").config.max_batch_size, 32)


if __name__ == "__main__":
    unittest.main()
