"""One-node models whose expected answers come from ONNX Runtime.

For operators that the standard does not define: a test lists cases, `check` writes each as a folder in
the standard's layout with ONNX Runtime's outputs, and runs them all through `inferd test`.
"""

import os
import subprocess
import sys
import tempfile

from e2e.clients import SKIPPED, np, onnx
from e2e.daemon import INFERD

try:
    import onnxruntime
except ImportError as missing:
    print(f"skipped: {missing}; tests/requirements.txt lists what is needed")
    sys.exit(1 if os.environ.get("INFERD_REQUIRE_CLIENTS") else SKIPPED)

MICROSOFT = "com.microsoft"


class Case:
    """A node with its inputs (None where absent) and how many outputs are wanted."""

    def __init__(
        self, name, op_type, inputs, outputs=1, attributes=None, domain=MICROSOFT, opset=17
    ):
        self.name = name
        given = [(f"x{i}", value) for i, value in enumerate(inputs) if value is not None]
        self.feeds = {key: np.asarray(value) for key, value in given}
        names = [f"x{i}" if value is not None else "" for i, value in enumerate(inputs)]
        self.outputs = [f"y{i}" for i in range(outputs)]
        node = onnx.helper.make_node(
            op_type, names, self.outputs, domain=domain, **(attributes or {})
        )
        infos = [
            onnx.helper.make_tensor_value_info(
                key, onnx.helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
            )
            for key, value in self.feeds.items()
        ]
        results = [onnx.helper.make_empty_tensor_value_info(key) for key in self.outputs]
        self.model = onnx.helper.make_model(
            onnx.helper.make_graph([node], "g", infos, results),
            opset_imports=[
                onnx.helper.make_opsetid("", opset),
                onnx.helper.make_opsetid(MICROSOFT, 1),
            ],
            ir_version=8,
        )

    def expected(self):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            self.model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        return session.run(None, self.feeds)

    def write(self, folder, expected):
        data = os.path.join(folder, "test_data_set_0")
        os.makedirs(data)
        onnx.save(self.model, os.path.join(folder, "model.onnx"))
        values = [("input", self.feeds.items()), ("output", zip(self.outputs, expected))]
        for prefix, items in values:
            for i, (key, value) in enumerate(items):
                with open(os.path.join(data, f"{prefix}_{i}.pb"), "wb") as file:
                    file.write(onnx.numpy_helper.from_array(value, key).SerializeToString())


def check(cases, rtol=1e-4, atol=1e-5):
    """0 when inferd answers every case as ONNX Runtime does; what differs or fails is printed."""
    only = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="inferd-test-") as root:
        folders, refused = [], []
        for case in cases:
            if only and not any(part in case.name for part in only):
                continue
            try:
                expected = case.expected()
            except Exception as error:  # its own classes differ from version to version
                refused.append(f"{case.name}: {str(error)[:200]}")
                continue
            folders.append(os.path.join(root, case.name))
            case.write(folders[-1], expected)
        for line in refused:
            print(f"ONNX Runtime {onnxruntime.__version__} refuses {line}")
        ended = subprocess.run(
            [INFERD, "test", "--rtol", str(rtol), "--atol", str(atol), *folders],
            capture_output=True,
            text=True,
            timeout=600,
        )
        print(ended.stdout.replace(root + os.sep, ""), ended.stderr, sep="", end="")
    passed = ended.stdout.strip().endswith(f"{len(folders)} passed, 0 failed, 0 skipped")
    return 0 if passed and folders and len(refused) * 4 <= len(folders) else 1
