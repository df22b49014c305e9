"""Counts what a model has to compute: multiplications and additions by the direct algorithms."""

import os

import numpy as np


def tensors_of(node, weights_at, a_at):
    """The value names whose shapes the node's count needs: first operand, weights, output."""
    return node.input[a_at], node.input[weights_at], node.output[0]


def product(node, a, _, y):
    transposed = any(x.name == "transA" and x.i for x in node.attribute)
    return 2.0 * np.prod(y) * (a[-2] if transposed else a[-1])


def convolution(_node, _a, w, y):
    return 2.0 * np.prod(y) * np.prod(w[1:])


def transposed_convolution(_node, a, w, _y):
    return 2.0 * np.prod(a) * np.prod(w[1:])


COUNTS = {
    "MatMul": product,
    "Gemm": product,
    "Conv": convolution,
    "ConvTranspose": transposed_convolution,
}


def count(path, inputs):
    """FLOPs of one run of the model as exported, whose shapes ONNX Runtime finds by running it.

    Counts matrix products and convolutions in the outer graph; the rest is small in most models.
    """
    import onnx
    import onnxruntime

    model = onnx.load(path, load_external_data=False)
    counted = [node for node in model.graph.node if node.op_type in COUNTS]
    known = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    known.update({name: list(value.shape) for name, value in inputs.items()})
    wanted = {name for node in counted for name in tensors_of(node, 1, 0)}
    asked = sorted(wanted - set(known))
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in asked)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    folder = os.path.dirname(os.path.abspath(path))
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", folder
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    known.update(zip(asked, (value.shape for value in session.run(asked, inputs))))
    total = 0.0
    for node in counted:
        shapes = [known[name] for name in tensors_of(node, 1, 0)]
        total += COUNTS[node.op_type](node, *shapes)
    return total
