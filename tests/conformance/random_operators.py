"""Backend tests whose answers are random: their types, shapes and moments are checked instead."""

import os
import subprocess
import tempfile

from e2e.clients import np, onnx


def _bernoulli(inputs, outputs):
    probability, drawn = inputs[0], outputs[0].astype(np.float64)
    assert set(np.unique(drawn)) <= {0.0, 1.0}, "draws are 0 and 1"
    deviation = np.sqrt((probability * (1 - probability)).sum())
    assert abs((drawn - probability).sum()) <= 5 * deviation + 1e-6, "the mean is the probability"


# Name -> what must hold of (inputs, outputs). The package drew these without a seed, or with a
# generator of its own.
RANDOM_CASES = {
    f"node/test_bernoulli{kind}{form}": _bernoulli
    for kind in ("", "_double", "_seed")
    for form in ("", "_expanded")
}


def _load(folder, prefix, names):
    values = []
    for i in range(len(names)):
        tensor = onnx.TensorProto()
        with open(f"{folder}/test_data_set_0/{prefix}_{i}.pb", "rb") as file:
            tensor.ParseFromString(file.read())
        values.append(onnx.numpy_helper.to_array(tensor))
    return values


def check_random_case(inferd, provider, folder):
    """'skipped: ...' when types, shapes and moments are right, else 'failed: ...'."""
    name = "/".join(folder.replace(os.sep, "/").split("/")[-2:])
    graph = onnx.load(f"{folder}/model.onnx").graph
    inputs = _load(folder, "input", graph.input)
    expected = _load(folder, "output", graph.output)
    with tempfile.TemporaryDirectory(prefix="inferd-test-") as out:
        arguments = []
        for info, value in zip(graph.input, inputs):
            np.save(f"{out}/{info.name}.npy", value)
            arguments += ["--input", f"{info.name}={out}/{info.name}.npy"]
        ended = subprocess.run(
            [inferd, "run", f"{folder}/model.onnx", "--provider", provider]
            + ["--output-dir", f"{out}/out", *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
        )
        if ended.returncode != 0:
            return f"failed: {ended.stderr.strip()}"
        outputs = [np.load(f"{out}/out/{info.name}.npy") for info in graph.output]
    for got, wanted in zip(outputs, expected):
        if got.dtype != wanted.dtype or got.shape != wanted.shape:
            return f"failed: expected {wanted.dtype}{wanted.shape}, got {got.dtype}{got.shape}"
    try:
        RANDOM_CASES[name](inputs, outputs)
    except AssertionError as error:
        return f"failed: {error}"
    return "skipped: random numbers; type, shape and moments are right"
