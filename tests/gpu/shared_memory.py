#!/usr/bin/env python3
"""Memory of a GPU that a client shares with the daemon by its handle: prints a line, exits with 1
where something is wrong.

    shared_memory.py --bin FOLDER

Allocates on the first GPU, registers the handle over REST, lets a model read its input and write its
output there, and looks at what was written; then what must be refused. Needs onnx and CUDA's runtime.
"""

import argparse
import array
import base64
import ctypes
import json
import os
import sys
import tempfile
import urllib.error
import urllib.request

from daemon_throughput import start_daemon

ELEMENTS = 1000
BYTES = 4 * ELEMENTS
REGION = 1 << 21  # an allocation of its own; smaller ones may share one


def save_doubling(path):
    from onnx import TensorProto, helper, save

    shapes = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", "n"]) for n in "xy"]
    node = helper.make_node("Add", ["x", "x"], ["y"])
    graph = helper.make_graph([node], "doubling", shapes[:1], shapes[1:])
    os.makedirs(os.path.dirname(path))
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


class DeviceMemory:
    """Memory of the first GPU. What the runtime refuses is a RuntimeError."""

    HANDLE_BYTES = 64
    TO_DEVICE = 1
    TO_HOST = 2

    def __init__(self, size):
        self.runtime = next(filter(None, map(self._load, ("", ".13", ".12"))), None)
        if self.runtime is None:
            raise RuntimeError("CUDA's runtime, libcudart.so, was not found")
        self.address = ctypes.c_void_p()
        self._check("cudaMalloc", ctypes.byref(self.address), ctypes.c_size_t(size))

    @staticmethod
    def _load(suffix):
        try:
            return ctypes.CDLL("libcudart.so" + suffix)
        except OSError:
            return None

    def _check(self, function, *arguments):
        error = getattr(self.runtime, function)(*arguments)
        if error:
            raise RuntimeError(f"{function}: error {error}")

    def handle(self):
        handle = ctypes.create_string_buffer(self.HANDLE_BYTES)
        self._check("cudaIpcGetMemHandle", handle, self.address)
        return handle.raw

    def write(self, offset, content):
        self._copy(self.address.value + offset, content, len(content), self.TO_DEVICE)

    def read(self, offset, size):
        content = ctypes.create_string_buffer(size)
        self._copy(content, self.address.value + offset, size, self.TO_HOST)
        return content.raw

    def _copy(self, to, source, size, kind):
        to = ctypes.c_void_p(to) if isinstance(to, int) else to
        source = ctypes.c_void_p(source) if isinstance(source, int) else source
        self._check("cudaMemcpy", to, source, ctypes.c_size_t(size), kind)


class Refused(Exception):
    """What the daemon answers to a call that it does not take: the HTTP status and its reason."""


class Rest:
    """Calls of the daemon."""

    def __init__(self, address):
        self.root = f"http://{address}/v2/"

    def post(self, path, body):
        call = urllib.request.Request(self.root + path, json.dumps(body).encode())
        try:
            with urllib.request.urlopen(call, timeout=60) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode()) from None

    def register(self, name, handle, size, device=0):
        body = {"raw_handle": {"b64": base64.b64encode(handle).decode()}}
        body |= {"device_id": device, "byte_size": size}
        return self.post(f"cudasharedmemory/region/{name}/register", body)

    def infer(self, source, target):
        """From and to (region, offset)."""
        tensors = []
        for name, (region, offset) in (("x", source), ("y", target)):
            place = {"shared_memory_region": region, "shared_memory_byte_size": BYTES}
            tensors.append({"name": name, "parameters": place | {"shared_memory_offset": offset}})
        tensors[0] |= {"datatype": "FP32", "shape": [1, ELEMENTS]}
        return self.post("models/doubling/infer", {"inputs": tensors[:1], "outputs": tensors[1:]})


def check(memory, rest):
    """What is wrong, a line each."""
    wrong = []

    def expect(what, holds):
        if not holds:
            wrong.append(what)

    def expect_refusal(status, what, call, *arguments):
        try:
            call(*arguments)
            wrong.append(f"{what} was not refused")
        except Refused as refused:
            expect(f"{what}: HTTP {refused.args}", refused.args[0] == status)

    x = array.array("f", range(ELEMENTS))
    doubled = array.array("f", (2 * v for v in x)).tobytes()
    memory.write(0, x.tobytes())
    rest.register("all", memory.handle(), REGION)
    rest.infer(("all", 0), ("all", BYTES))
    expect("the output is not what the model says", memory.read(BYTES, BYTES) == doubled)
    expect("the input was changed", memory.read(0, BYTES) == x.tobytes())
    rest.register("again", memory.handle(), 4 * BYTES)
    rest.infer(("again", BYTES), ("all", 2 * BYTES))
    twice = array.array("f", (4 * v for v in x)).tobytes()
    expect("a second name of the same memory differs", memory.read(2 * BYTES, BYTES) == twice)
    expect_refusal(400, "more than the allocation", rest.register, "c", memory.handle(), 1 << 40)
    expect_refusal(400, "a handle of nothing", rest.register, "c", bytes(64), BYTES)
    expect_refusal(400, "device 99", rest.register, "c", memory.handle(), BYTES, 99)
    expect_refusal(400, "an output beyond the end", rest.infer, ("all", 0), ("again", 4 * BYTES - 4))
    rest.post("cudasharedmemory/unregister", {})
    expect_refusal(404, "a region that was unregistered", rest.infer, ("all", 0), ("all", BYTES))
    rest.register("all", memory.handle(), REGION)
    rest.infer(("all", 0), ("all", BYTES))
    expect("after another registration", memory.read(BYTES, BYTES) == doubled)
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, help="the folder of inferd")
    parser.add_argument("--provider", default="cuda")
    arguments = parser.parse_args()
    memory = DeviceMemory(REGION)
    with tempfile.TemporaryDirectory() as folder:
        save_doubling(os.path.join(folder, "doubling", "1", "model.onnx"))
        daemon, addresses = start_daemon(arguments, folder, "--shared-memory")
        try:
            wrong = check(memory, Rest(addresses["http"]))
        finally:
            daemon.terminate()
            daemon.wait(timeout=60)
    print("shared memory of the GPU: " + ("; ".join(wrong) or "ok"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
