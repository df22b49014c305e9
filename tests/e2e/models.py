"""Small ONNX models for the tests, made on the spot."""

import os

from e2e.clients import np, onnx

TensorProto, helper, numpy_helper = onnx.TensorProto, onnx.helper, onnx.numpy_helper

# Every element type of the protocol: (ONNX type, protocol name, NumPy type or None).
DATATYPES = [
    (TensorProto.BOOL, "BOOL", np.bool_),
    (TensorProto.INT8, "INT8", np.int8),
    (TensorProto.INT16, "INT16", np.int16),
    (TensorProto.INT32, "INT32", np.int32),
    (TensorProto.INT64, "INT64", np.int64),
    (TensorProto.UINT8, "UINT8", np.uint8),
    (TensorProto.UINT16, "UINT16", np.uint16),
    (TensorProto.UINT32, "UINT32", np.uint32),
    (TensorProto.UINT64, "UINT64", np.uint64),
    (TensorProto.FLOAT16, "FP16", np.float16),
    (TensorProto.FLOAT, "FP32", np.float32),
    (TensorProto.DOUBLE, "FP64", np.float64),
    (TensorProto.STRING, "BYTES", np.object_),
    (TensorProto.BFLOAT16, "BF16", None),
]


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, "test", inputs, outputs, list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def identity(kind=TensorProto.FLOAT, width=16):
    return model(
        [helper.make_node("Identity", ["x"], ["y"])],
        [value("x", kind, ["batch", width])],
        [value("y", kind, ["batch", width])],
    )


def every_type():
    """Output y_T is input x_T for each element type T; rows are a batch."""
    nodes, inputs, outputs = [], [], []
    for kind, name, _ in DATATYPES:
        nodes.append(helper.make_node("Identity", [f"x_{name}"], [f"y_{name}"]))
        inputs.append(value(f"x_{name}", kind, ["batch", 3]))
        outputs.append(value(f"y_{name}", kind, ["batch", 3]))
    return model(nodes, inputs, outputs)


def sum_and_difference():
    row = ["batch", 4]
    return model(
        [
            helper.make_node("Add", ["a", "b"], ["sum"]),
            helper.make_node("Sub", ["a", "b"], ["difference"]),
        ],
        [value("a", TensorProto.INT32, row), value("b", TensorProto.INT32, row)],
        [value("sum", TensorProto.INT32, row), value("difference", TensorProto.INT32, row)],
    )


def gather():
    """Rows of a table by index: an index can be out of range."""
    table = numpy_helper.from_array(np.arange(40, dtype=np.float32).reshape(10, 4), "table")
    return model(
        [helper.make_node("Gather", ["table", "indices"], ["rows"])],
        [value("indices", TensorProto.INT64, ["count"])],
        [value("rows", TensorProto.FLOAT, ["count", 4])],
        [table],
    )


def slow(layers=80):
    """Keeps a core busy for a tenth of a second or more; rows are no batch."""
    random = np.random.default_rng(0)
    weight = numpy_helper.from_array(
        (random.standard_normal((1024, 1024)) / 32).astype(np.float32), "w"
    )
    nodes = []
    for i in range(layers):
        nodes.append(helper.make_node("MatMul", [f"h{i}" if i else "x", "w"], [f"m{i}"]))
        nodes.append(helper.make_node("Tanh", [f"m{i}"], ["y" if i == layers - 1 else f"h{i + 1}"]))
    return model(
        nodes,
        [value("x", TensorProto.FLOAT, [64, 1024])],
        [value("y", TensorProto.FLOAT, [64, 1024])],
        [weight],
    )


def linear(width=8):
    """Its weights in a file beside it, named by the caller."""
    weight = np.ones((width, width), np.float32)
    tensor = numpy_helper.from_array(weight, "w")
    made = model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [value("x", TensorProto.FLOAT, ["batch", width])],
        [value("y", TensorProto.FLOAT, ["batch", width])],
        [tensor],
    )
    return made, weight.tobytes()


def with_external_data(made, location, offset=None, length=None):
    """The model's first initializer moved to an external file of that name."""
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, entry in (("location", location), ("offset", offset), ("length", length)):
        if entry is not None:
            pair = tensor.external_data.add()
            pair.key, pair.value = key, str(entry)
    return made


def save(repository, name, made, version="1", config=None):
    """Writes a model, an onnx object or bytes, into a repository. Returns its folder."""
    folder = os.path.join(repository, name)
    os.makedirs(os.path.join(folder, version), exist_ok=True)
    content = made if isinstance(made, bytes) else made.SerializeToString()
    with open(os.path.join(folder, version, "model.onnx"), "wb") as file:
        file.write(content)
    if config is not None:
        with open(os.path.join(folder, "config.pbtxt"), "w", encoding="utf-8") as file:
            file.write(config)
    return folder
