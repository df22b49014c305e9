#!/usr/bin/env python3
"""The classification extension: top classes as text, with labels, by row and for every type."""

import unittest

from e2e import models
from e2e.classifier_test import FLOWERS, ROWS, SCORES, classifier
from e2e.clients import ml_dtypes, np, triton
from e2e.daemon import Daemon

LABELLED = """
max_batch_size: %d
input { name: "x" data_type: TYPE_FP32 dims: [ %s4 ] }
output { name: "y" data_type: TYPE_FP32 dims: [ %s4 ] label_filename: "names.txt" }
"""


def fill(repository):
    models.save(repository, "flowers", classifier(FLOWERS))
    models.save(repository, "every_type", models.every_type())
    for name, config in [("batched", LABELLED % (8, "", "")), ("whole", LABELLED % (0, "-1,", "-1,"))]:
        folder = models.save(repository, name, models.identity(width=4), config=config)
        with open(f"{folder}/names.txt", "w", encoding="utf-8") as file:
            file.write("cat\nsnow leopard\nd:o:g\n")
    models.save(repository, "lost", models.identity(width=4), config=LABELLED % (8, "", ""))
    outside = LABELLED.replace("names.txt", "../batched/names.txt") % (8, "", "")
    models.save(repository, "outside", models.identity(width=4), config=outside)


def every_type_inputs():
    inputs = []
    for _, name, kind in models.DATATYPES:
        rows = np.array([[0, 1, 0], [1, 0, 0]], kind or ml_dtypes.bfloat16)
        if name == "BYTES":
            rows = np.array([[b"a"] * 3] * 2, np.object_)
        inputs.append(triton.InferInput(f"x_{name}", [2, 3], name))
        inputs[-1].set_data_from_numpy(rows)
    return inputs


class ClassificationTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(fill))
        cls.client = cls.daemon.client()

    def classify(self, model, name, datatype, rows, output, count):
        value = triton.InferInput(name, list(rows.shape), datatype)
        value.set_data_from_numpy(rows)
        wanted = triton.InferRequestedOutput(output, class_count=count)
        return self.client.infer(model, [value], outputs=[wanted]).as_numpy(output)

    def test_metadata_lists_it(self):
        self.assertIn("classification", self.client.get_server_metadata().extensions)

    def test_labels_come_from_the_label_file(self):
        rows = np.array([[1, 4, 3, 2], [0.25, -1, np.nan, -2]], np.float32)
        answer = self.classify("batched", "x", "FP32", rows, "y", 4)
        self.assertEqual(
            answer.tolist(),
            [
                [b"4:1:snow leopard", b"3:2:d:o:g", b"2:3", b"1:0:cat"],
                [b"0.25:0:cat", b"-1:1:snow leopard", b"-2:3", b"nan:2:d:o:g"],
            ],
        )

    def test_without_batching_all_scores_are_one_list(self):
        rows = np.array([[1, 4, 3, 2], [8, 7, 6, 5]], np.float32)
        answer = self.classify("whole", "x", "FP32", rows, "y", 3)
        self.assertEqual(answer.tolist(), [b"8:4", b"7:5", b"6:6"])

    def test_class_names_that_the_model_knows_are_labels(self):
        answer = self.classify("flowers", "x", "FP32", ROWS, "maps", 1)
        self.assertEqual(answer.shape, (len(ROWS), 1))
        for (text,), scores in zip(answer, SCORES):
            score, index, label = text.decode().split(":")
            self.assertEqual((int(index), label), (scores.argmax(), FLOWERS[scores.argmax()]))
            self.assertTrue(float(score) > 0)

    def test_one_output_of_many_of_every_type(self):
        outputs = [
            triton.InferRequestedOutput(f"y_{name}", class_count=0 if name == "BYTES" else 1)
            for _, name, _ in models.DATATYPES
        ]
        answer = self.client.infer("every_type", every_type_inputs(), outputs=outputs)
        for _, name, _ in models.DATATYPES:
            expected = [[b"a"] * 3] * 2 if name == "BYTES" else [[b"1:1"], [b"1:0"]]
            self.assertEqual(answer.as_numpy(f"y_{name}").tolist(), expected, name)

    def test_text_cannot_be_classified(self):
        outputs = [triton.InferRequestedOutput("y_BYTES", class_count=1)]
        with self.assertRaisesRegex(
            triton.InferenceServerException, "output 'y_BYTES': .*'classification': expected"
        ):
            self.client.infer("every_type", every_type_inputs(), outputs=outputs)

    def test_label_files_that_cannot_be_had_are_said_at_load(self):
        index = {m.name: m for m in self.client.get_model_repository_index().models}
        self.assertEqual(index["lost"].state, "UNAVAILABLE")
        self.assertRegex(index["lost"].reason, "output 'y': label_filename: .*names.txt' is not")
        self.assertRegex(index["outside"].reason, "label_filename: expected the name of a file")


if __name__ == "__main__":
    unittest.main()
