#!/usr/bin/env python3
"""Broken and hostile models: each gets a reason in the index, and the others go on being served."""

import os
import unittest

from e2e import models
from e2e.calls import identity_request, status_of
from e2e.clients import grpc, np, onnx
from e2e.daemon import Daemon, run_inferd
from e2e.models import TensorProto, helper, value

ROW = ["batch", 16]


def cycle():
    return models.model(
        [
            helper.make_node("Add", ["x", "b"], ["a"], name="first"),
            helper.make_node("Relu", ["a"], ["b"], name="second"),
            helper.make_node("Relu", ["b"], ["y"]),
        ],
        [value("x", TensorProto.FLOAT, ROW)],
        [value("y", TensorProto.FLOAT, ROW)],
    )


def unknown_operator():
    return models.model(
        [helper.make_node("Frobnicate", ["x"], ["y"], name="odd")],
        [value("x", TensorProto.FLOAT, ROW)],
        [value("y", TensorProto.FLOAT, ROW)],
    )


def missing_value():
    return models.model(
        [helper.make_node("Add", ["x", "ghost"], ["y"])],
        [value("x", TensorProto.FLOAT, ROW)],
        [value("y", TensorProto.FLOAT, ROW)],
    )


def wrong_types():
    return models.model(
        [helper.make_node("Add", ["x", "t"], ["y"], name="mixed")],
        [value("x", TensorProto.FLOAT, ROW), value("t", TensorProto.INT64, ROW)],
        [value("y", TensorProto.FLOAT, ROW)],
    )


def huge_constant():
    """An initializer whose dimensions promise a terabyte and whose data is 4 bytes."""
    made, _ = models.linear()
    tensor = made.graph.initializer[0]
    tensor.dims[:] = [1 << 20, 1 << 18]
    tensor.raw_data = b"\0\0\0\0"
    return made


def huge_fill():
    """A ConstantOfShape that asks for far more than any limit."""
    shape = onnx.numpy_helper.from_array(np.array([1 << 24, 1 << 24], np.int64), "shape")
    return models.model(
        [
            helper.make_node("ConstantOfShape", ["shape"], ["big"]),
            helper.make_node("ReduceSum", ["big"], ["s"], keepdims=0),
            helper.make_node("Add", ["x", "s"], ["y"]),
        ],
        [value("x", TensorProto.FLOAT, ROW)],
        [value("y", TensorProto.FLOAT, ROW)],
        [shape],
    )


def _field(number, content):
    """A length-delimited protobuf field."""
    length, size = len(content), b""
    while length > 127:
        size, length = size + bytes([length & 127 | 128]), length >> 7
    return _key(number, 2) + size + bytes([length]) + content


def _key(number, wire_type):
    key = number << 3 | wire_type
    return bytes([key]) if key < 128 else bytes([key & 127 | 128, key >> 7])


def deep_nesting(levels=2000):
    """If inside If inside If, deeper than a recursive reader can follow; no library writes it."""
    out = value("o", TensorProto.FLOAT, None).SerializeToString()
    graph = helper.make_graph([], "leaf", [], []).SerializeToString() + _field(12, out)
    for _ in range(levels):
        branch = _field(1, b"then_branch") + _field(6, graph) + _key(20, 0) + b"\x05"
        node = _field(1, b"c") + _field(2, b"o") + _field(4, b"If") + _field(5, branch)
        graph = _field(1, node) + _field(2, b"level") + _field(12, out)
    opset = helper.make_opsetid("", 17).SerializeToString()
    return b"\x08\x08" + _field(7, graph) + _field(8, opset)


def external(location, offset=None, length=None):
    made, data = models.linear()
    return models.with_external_data(made, location, offset, length), data


def fill_bad(repository):
    """Writes the bad models; returns {name: words of which one must be in the reason}."""
    good = models.identity().SerializeToString()
    linear, data = models.linear()
    secret = os.path.join(os.path.dirname(repository), "secret")
    with open(secret, "wb") as file:
        file.write(b"s" * 4096)
    contents = {
        "truncated": (linear.SerializeToString()[:-30], ("truncated", "parse", "onnx", "byte")),
        "random": (np.random.default_rng(0).bytes(5000), ("parse", "onnx", "protobuf", "random")),
        "empty": (b"", ("empty", "no ", "graph", "parse")),
        "cycle": (cycle(), ("cycle", "first", "second")),
        "unknown_operator": (unknown_operator(), ("Frobnicate",)),
        "missing_value": (missing_value(), ("ghost",)),
        "wrong_types": (wrong_types(), ("mixed", "Add", "type", "int64")),
        "huge_constant": (huge_constant(), ("w", "byte")),
        "huge_fill": (huge_fill(), None),
        "deep": (deep_nesting(), ()),
        "external_parent": (external("../../../secret")[0], ("..", "secret", "outside")),
        "external_absolute": (external(secret)[0], ("secret", "absolute")),
        "external_link": (external("link.bin")[0], ("link",)),
        "external_missing": (external("gone.bin")[0], ("gone.bin",)),
        "external_short": (external("short.bin", 0, len(data))[0], ("short.bin",)),
        "external_offset": (external("data.bin", 1 << 62, len(data))[0], ("data.bin",)),
        "external_negative": (external("data.bin", -8, len(data))[0], ("data.bin", "-8", "offset")),
    }
    for name, (content, _) in contents.items():
        models.save(repository, name, content)
    os.symlink(secret, os.path.join(repository, "external_link", "1", "link.bin"))
    for name, file_name, content in (
        ("external_short", "short.bin", data[:10]),
        ("external_offset", "data.bin", data),
        ("external_negative", "data.bin", data),
    ):
        with open(os.path.join(repository, name, "1", file_name), "wb") as file:
            file.write(content)
    configs = {
        "config_name": ('name: "somebody_else"\n', ("name",)),
        "config_syntax": ("max_batch_size: many {\n", ("config.pbtxt", "1")),
        "config_input": (
            'input [{ name: "nobody" data_type: TYPE_FP32 dims: [16] }]\n',
            ("nobody",),
        ),
        "config_type": ('input [{ name: "x" data_type: TYPE_INT64 dims: [16] }]\n', ("x",)),
        "config_dims": (
            'max_batch_size: 8\ninput [{ name: "x" data_type: TYPE_FP32 dims: [17] }]\n',
            ("x", "17"),
        ),
        "config_batch": ("max_batch_size: -3\n", ("max_batch_size",)),
        "config_sequence": ("sequence_batching { }\n", ("sequence",)),
    }
    for name, (text, _) in configs.items():
        models.save(repository, name, good, config=text)
    os.makedirs(os.path.join(repository, "no_version"))
    os.makedirs(os.path.join(repository, "no_file", "1"))
    expected = {name: words for name, (_, words) in {**contents, **configs}.items()}
    expected.update({"no_version": (), "no_file": ("model.onnx",)})
    return expected


class BadModelsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        def fill(repository):
            cls.expected = fill_bad(repository)
            models.save(repository, "identity", models.identity())
            made, data = external("good.bin")
            models.save(repository, "external_good", made)
            with open(os.path.join(repository, "external_good", "1", "good.bin"), "wb") as file:
                file.write(data)

        cls.daemon = cls.enterClassContext(Daemon(fill))
        cls.index = {}
        for entry in cls.daemon.client().get_model_repository_index().models:
            cls.index.setdefault(entry.name, entry)

    def test_each_bad_model_is_unavailable_with_a_reason(self):
        for name, words in self.expected.items():
            with self.subTest(name):
                self.assertIn(name, self.index)
                entry = self.index[name]
                if words is None and entry.state == "READY":
                    continue  # it may also be found out when it runs; see below
                self.assertEqual(entry.state, "UNAVAILABLE", entry.reason)
                self.assertTrue(entry.reason)
                if words:
                    self.assertTrue(any(word in entry.reason for word in words), entry.reason)

    def test_a_tensor_beyond_every_limit_is_refused_when_it_is_asked_for(self):
        message = identity_request()
        message.model_name = "huge_fill"
        code, details = status_of(self.daemon.stub().ModelInfer, message)
        self.assertNotEqual(code, grpc.StatusCode.OK)
        self.assertIn("huge_fill", details)

    def test_good_models_beside_them_are_served(self):
        self.assertEqual(
            self.index["external_good"].state, "READY", self.index["external_good"].reason
        )
        sent = identity_request()
        self.assertEqual(
            self.daemon.stub().ModelInfer(sent).raw_output_contents[0], sent.raw_input_contents[0]
        )

    def test_nothing_huge_was_allocated(self):
        with open(f"/proc/{self.daemon.process.pid}/status", encoding="utf-8") as file:
            peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        self.assertLess(peak, 1 << 20, "kB of peak resident memory")


class BadStartTest(unittest.TestCase):

    def test_a_repository_that_is_not_there_is_said(self):
        ended = run_inferd(
            "serve",
            "--model-repository",
            "no/such/folder",
            "--grpc-port",
            "0",
            "--http-port",
            "0",
            "--metrics-port",
            "0",
        )
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("no/such/folder", ended.stderr)


if __name__ == "__main__":
    unittest.main()
