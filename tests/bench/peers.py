#!/usr/bin/env python3
"""One engine in a process of its own, for compare.py.

usage: peers.py onnxruntime|openvino MODEL.onnx INPUTS.npz THREADS fp32|bf16 OUTPUTS.npz
Loads the model, writes its outputs, prints {"load_seconds", "peak_rss_bytes"}; then for each line
"SECONDS" on stdin measures that long and prints {"p50_ms", "cpu_seconds_per_run"}.
"""

import json
import os
import resource
import statistics
import sys
import time

import numpy as np

import timing

MIN_RUNS = 5


def onnx_runtime(path, inputs, threads, _precision):
    """A function that runs the model and returns its outputs by name."""
    session = timing.session(path, threads)
    names = [output.name for output in session.get_outputs()]
    return lambda: dict(zip(names, session.run(None, inputs)))


def openvino(path, inputs, threads, precision):
    import openvino as ov

    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        "PERFORMANCE_HINT": "LATENCY",
    }
    model = ov.Core().compile_model(path, "CPU", settings)
    request = model.create_infer_request()

    def run():
        request.infer(inputs, share_inputs=True, share_outputs=True)
        values = ((port, request.get_tensor(port).data) for port in model.outputs)
        return {port.any_name: value for port, value in values}

    return run


ENGINES = {"onnxruntime": onnx_runtime, "openvino": openvino}


def memory_bytes(key):
    """VmRSS or VmHWM of this process: unlike ru_maxrss without what its parent had."""
    with open("/proc/self/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith(key + ":"))
    return int(line.split()[1]) * 1024


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(run, seconds):
    times, start, cpu = [], time.perf_counter(), cpu_seconds()
    while time.perf_counter() - start < seconds or len(times) < MIN_RUNS:
        before = time.perf_counter()
        run()
        times.append(time.perf_counter() - before)
    spent = (cpu_seconds() - cpu) / len(times)
    return {"p50_ms": 1e3 * statistics.median(times), "cpu_seconds_per_run": spent}


def main():
    engine, path, inputs_path, threads, precision, outputs_path = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the engines print is no answer
    __import__(engine)
    with np.load(inputs_path) as file:
        inputs = dict(file)
    before_bytes, start = memory_bytes("VmRSS"), time.perf_counter()
    run = ENGINES[engine](path, inputs, int(threads), precision)
    load = time.perf_counter() - start
    outputs = run()
    run()
    peak = memory_bytes("VmHWM") - before_bytes
    np.savez(outputs_path, **outputs)
    print(json.dumps({"load_seconds": load, "peak_rss_bytes": peak}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(measure(run, float(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
