"""What the measuring scripts share: model inputs, timing, medians."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(TESTS)
sys.path.insert(0, TESTS)
BIN = os.environ.get("INFERD_BIN_DIR") or os.path.join(ROOT, "build", "release", "bin")
INFERD = os.environ.get("INFERD") or os.path.join(BIN, "inferd")

TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int16)": np.int16,
    "tensor(int8)": np.int8,
    "tensor(uint64)": np.uint64,
    "tensor(uint32)": np.uint32,
    "tensor(uint16)": np.uint16,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}


def label(path):
    """A model's name in a table: its file's, or its folder's where all files have one name."""
    parts = os.path.abspath(path).split(os.sep)
    return parts[-1] if parts[-1] != "model.onnx" or len(parts) < 3 else parts[-3]


def session(path, threads=1, optimised=True):
    """An ONNX Runtime session."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if not optimised:
        level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.graph_optimization_level = level
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def bind(shape, batch, sequence, image):
    """Concrete dimensions: the first open one is the batch, others by name or place."""
    bound = []
    for i, dim in enumerate(shape):
        if isinstance(dim, int) and dim > 0:
            bound.append(dim)
        elif i == 0:
            bound.append(batch)
        elif len(shape) == 4:
            bound.append(image)
        else:
            bound.append(sequence)
    return bound


def feed(model, batch, sequence=32, image=224, seed=0, shapes=None, values=None):
    """Inputs by name: floats N(0,1), masks 1, token ids below 1000, words.

    `shapes` and `values` hold what is fixed by name: lists of sizes, and the number of all elements.
    """
    random = np.random.default_rng(seed)
    inputs = {}
    for value in model.get_inputs():
        shape = bind(value.shape, batch, sequence, image)
        shape = (shapes or {}).get(value.name, shape)
        kind = TYPES[value.type]
        if value.name in (values or {}):
            inputs[value.name] = np.full(shape, values[value.name], dtype=kind)
        elif kind == np.object_:
            inputs[value.name] = np.full(shape, "grocery", dtype=np.object_)
        elif np.issubdtype(kind, np.floating):
            inputs[value.name] = random.standard_normal(shape).astype(kind)
        elif "mask" in value.name or kind == np.bool_:
            inputs[value.name] = np.ones(shape, kind)
        else:
            limit = 2 if "type" in value.name else 120 if kind == np.int8 else 250
            inputs[value.name] = random.integers(0, limit, shape).astype(kind)
    return inputs


def save_inputs(inputs, folder):
    """The arguments that give `inferd` these inputs."""
    arguments = []
    for i, (name, array) in enumerate(inputs.items()):
        path = os.path.join(folder, f"input_{i}.npy")
        np.save(path, array.astype("S") if array.dtype == np.object_ else array)
        arguments += ["--input", f"{name}={path}"]
    return arguments


def time_session(model, inputs, seconds):
    """Median milliseconds of an ONNX Runtime session."""
    for _ in range(2):
        model.run(None, inputs)
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < 5:
        before = time.perf_counter()
        model.run(None, inputs)
        times.append(time.perf_counter() - before)
    return 1e3 * statistics.median(times)


def bench_inferd(path, arguments, seconds, threads=1, precision="fp32"):
    """The JSON of `inferd bench`."""
    command = [INFERD, "bench", path, *arguments, "--seconds", str(seconds)]
    command += ["--threads", str(threads), "--precision", precision, "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if ended.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {ended.returncode}: {ended.stderr.strip()}")
    return json.loads(ended.stdout)


def run_inferd(path, inputs, threads=1, precision="fp32"):
    """The outputs of `inferd run` by name."""
    with tempfile.TemporaryDirectory() as folder:
        command = [INFERD, "run", path, *save_inputs(inputs, folder)]
        command += ["--threads", str(threads), "--precision", precision]
        command += ["--output-dir", os.path.join(folder, "out")]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if ended.returncode != 0:
            raise RuntimeError(f"exit {ended.returncode}: {ended.stderr.strip()[-500:]}")
        written = (line.split(" -> ") for line in ended.stdout.splitlines() if " -> " in line)
        return {name: np.load(path, allow_pickle=False) for name, path in written}
