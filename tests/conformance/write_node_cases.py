"""Writes the onnx package's node tests as folders in the standard's layout.

The wheel carries no node data; the package makes the cases in memory.
"""

import os

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
    """Writes root/node/NAME for each case; returns (folders, {name: why it could not be written})."""
    from onnx.backend.test.case.node import collect_testcases

    folders, unwritten = [], {}
    for case in collect_testcases(None):
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
