"""Writes those of the onnx package's tests that it does not carry as folders in its layout."""

import glob
import os
import shutil
import warnings

from e2e.clients import np, onnx


def _proto(name, value, kind):
    """A value of a case as the message its graph type asks for, or None where there is no message."""
    case = kind.WhichOneof("value")
    if case == "sequence_type":
        elem = kind.sequence_type.elem_type.tensor_type.elem_type
        if isinstance(value, list):
            return onnx.numpy_helper.from_list([np.asarray(v) for v in value], name)
        return onnx.numpy_helper.from_list(list(value), name, elem or None)
    if case == "optional_type":
        if isinstance(value, onnx.OptionalProto):
            return value
        return onnx.numpy_helper.from_optional(value, name)
    if case == "map_type":
        return onnx.numpy_helper.from_dict(value, name)
    if isinstance(value, onnx.TensorProto):
        value.name = name
        return value
    return onnx.numpy_helper.from_array(np.asarray(value), name)


def _write_values(folder, prefix, values, infos):
    for i, (value, info) in enumerate(zip(values, infos)):
        message = _proto(info.name, value, info.type)
        with open(os.path.join(folder, f"{prefix}_{i}.pb"), "wb") as file:
            file.write(message.SerializeToString())


def write_node_cases(root):
    """Writes root/node/NAME for each case, which the package makes in memory.

    Returns (folders, {name: why it could not be written}).
    """
    from onnx.backend.test.case.node import collect_testcases

    folders, unwritten = [], {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own divisions by zero
        cases = collect_testcases(None)
    for case in cases:
        folder = os.path.join(root, "node", case.name)
        try:
            for k, (inputs, outputs) in enumerate(case.data_sets):
                data = os.path.join(folder, f"test_data_set_{k}")
                os.makedirs(data, exist_ok=True)
                _write_values(data, "input", inputs, case.model.graph.input)
                _write_values(data, "output", outputs, case.model.graph.output)
            onnx.save(case.model, os.path.join(folder, "model.onnx"))
            folders.append(folder)
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            unwritten[case.name] = f"{type(error).__name__}: {error}"
    return sorted(folders), unwritten


def write_light_cases(root):
    """Writes root/light/NAME for each model of the package's data/light; returns the folders.

    They are well-known networks with made-up weights, given as a model and its answer to the
    numbers 0, 1/n, 2/n, ...
    """
    data = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "light")
    folders = []
    for path in sorted(glob.glob(f"{data}/*.onnx")):
        stem = os.path.splitext(path)[0]
        folder = os.path.join(root, "light", os.path.basename(stem))
        data_set = os.path.join(folder, "test_data_set_0")
        os.makedirs(data_set)
        shutil.copy(path, f"{folder}/model.onnx")
        graph = onnx.load(path).graph
        constants = {tensor.name for tensor in graph.initializer}
        inputs = [info for info in graph.input if info.name not in constants]
        values = []
        for info in inputs:
            shape = [dim.dim_value or 1 for dim in info.type.tensor_type.shape.dim]
            count = np.prod(shape)
            values.append((np.arange(count).reshape(shape) / count).astype(np.float32))
        _write_values(data_set, "input", values, inputs)
        for i in range(len(graph.output)):
            shutil.copy(f"{stem}_output_{i}.pb", f"{data_set}/output_{i}.pb")
        folders.append(folder)
    return folders
