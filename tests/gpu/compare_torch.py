#!/usr/bin/env python3
"""Models on the CUDA provider beside torch on the same GPU, outputs compared: a Markdown table.

    compare_torch.py --inferd bin/inferd [--seconds S] [--precision fp32|bf16|fp16]

Models are made here with random weights: ResNet-50 and BERT-base. Where onnxruntime is installed with
CUDA, its time is a column, too. A row says what failed where something did; the exit code is 1 then.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch


def resnet50(batch):
    import torchvision

    return torchvision.models.resnet50(weights=None).eval(), (torch.randn(batch, 3, 224, 224),)


def bert(**sizes):
    """BERT's encoder with random weights, from token ids to the last hidden states."""
    import transformers

    config = transformers.BertConfig(attn_implementation="sdpa", **sizes)
    model = transformers.BertModel(config).eval()

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = model

        def forward(self, ids):
            return self.bert(ids).last_hidden_state

    return Encoder().eval()


def bert_base(batch):
    return bert(), (torch.randint(0, 30000, (batch, 128)),)


MODELS = (
    ("ResNet-50", resnet50, 1),
    ("ResNet-50", resnet50, 64),
    ("BERT-base s128", bert_base, 1),
    ("BERT-base s128", bert_base, 64),
)


def torch_milliseconds(model, inputs, seconds):
    """Median time of a run, by events."""
    with torch.inference_mode():
        for _ in range(10):
            model(*inputs)
        times = []
        while sum(times) < 1000 * seconds and len(times) < 2000:
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            model(*inputs)
            end.record()
            end.synchronize()
            times.append(begin.elapsed_time(end))
    return float(np.median(times))


def inferd(binary, path, inputs, names, folder, seconds, precision):
    """Median milliseconds and the outputs of one run."""
    arguments = []
    for name, tensor in zip(names, inputs):
        file = os.path.join(folder, f"{name}.npy")
        np.save(file, tensor.numpy())
        arguments += ["--input", f"{name}={file}"]
    common = [path, "--provider", "cuda", "--precision", precision, *arguments]
    out = os.path.join(folder, "out")
    os.makedirs(out, exist_ok=True)
    subprocess.run([binary, "run", *common, "--output-dir", out], check=True, timeout=120)
    bench = subprocess.run(
        [binary, "bench", *common, "--seconds", str(seconds), "--json"],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    outputs = [np.load(os.path.join(out, file)) for file in sorted(os.listdir(out))]
    return json.loads(bench.stdout)["latency_ms"]["p50"], outputs


def onnxruntime_milliseconds(path, inputs, names, seconds):
    """Median time of a run with inputs and outputs on the GPU; NaN without a CUDA build of it."""
    try:
        import onnxruntime
    except ImportError:
        return float("nan")
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return float("nan")
    providers = [("CUDAExecutionProvider", {"use_tf32": 0})]
    session = onnxruntime.InferenceSession(path, providers=providers)
    binding = session.io_binding()
    for name, tensor in zip(names, inputs):
        value = onnxruntime.OrtValue.ortvalue_from_numpy(tensor.numpy(), "cuda", 0)
        binding.bind_ortvalue_input(name, value)
    for output in session.get_outputs():
        binding.bind_output(output.name, "cuda")
    for _ in range(10):
        session.run_with_iobinding(binding)
    times = []
    while sum(times) < seconds and len(times) < 2000:
        start = time.perf_counter()
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def compare(name, make, batch, arguments):
    torch.manual_seed(1)
    model, inputs = make(batch)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        path = os.path.join(folder, "model.onnx")
        names = [f"x{i}" for i in range(len(inputs))]
        torch.onnx.export(model, inputs, path, input_names=names, dynamo=False, opset_version=17)
        expected = model(*inputs).numpy()
        ours, outputs = inferd(
            arguments.inferd, path, inputs, names, folder, arguments.seconds, arguments.precision
        )
        peer = onnxruntime_milliseconds(path, inputs, names, arguments.seconds)
    worst = float(np.abs(outputs[0] - expected).max() / np.abs(expected).max())
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(arguments.precision, torch.float32)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    on_gpu = model.cuda().to(dtype)
    gpu_inputs = [x.cuda().to(dtype) if x.is_floating_point() else x.cuda() for x in inputs]
    eager = torch_milliseconds(on_gpu, gpu_inputs, arguments.seconds)
    compiled = torch.compile(on_gpu, mode="max-autotune") if arguments.compile else None
    fast = torch_milliseconds(compiled, gpu_inputs, arguments.seconds) if compiled else float("nan")
    limit = 1e-3 if arguments.precision == "fp32" else 5e-2
    verdict = "ok" if worst < limit else "WRONG"
    print(
        f"| {name} b{batch} | {ours:.3f} | {eager:.3f} | {fast:.3f} | {peer:.3f} | {1000 * batch / ours:.0f} "
        f"| {worst:.1e} {verdict} |",
        flush=True,
    )
    return worst < limit


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--inferd", required=True)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--precision", choices=("fp32", "bf16", "fp16"), default="fp32")
    parser.add_argument("--compile", action="store_true", help="also torch.compile, which takes minutes")
    arguments = parser.parse_args()
    print(f"{torch.cuda.get_device_name()}, {arguments.precision}, torch {torch.__version__}")
    print(
        "| model | inferd ms | torch ms | torch.compile ms | onnxruntime ms | rows/s "
        "| greatest error / greatest |"
    )
    print("|---|---|---|---|---|---|---|")
    good = True
    for name, make, batch in MODELS:
        try:
            good = compare(name, make, batch, arguments) and good
        except Exception as error:  # a model that fails is a row, not the end of the table
            good = False
            print(f"| {name} b{batch} | failed: {error} |", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
