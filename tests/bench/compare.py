#!/usr/bin/env python3
"""inferd beside ONNX Runtime and OpenVINO: the same inputs, in turn, medians over the rounds.

usage: compare.py [--peers PYTHON] [--set DIR | MODEL.onnx...] [--precision fp32|bf16] [--threads N]

--set measures the benchmark set, whose models lie in DIR; other models take --batch, --sequence and
--image. Each engine is a process of its own. Prints Markdown: times and ratios against the faster
peer of that precision (above 1: inferd is faster), then load times and memory. Exits 1 when outputs
disagree or inferd takes more than LIMIT times as long as the faster peer.
"""

import argparse
import importlib.util
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile

# Model, batch, sequence.
CASES = [
    ("resnet50", 1, 0),
    ("resnet50", 8, 0),
    ("mobilenet_v3_large", 1, 0),
    ("mobilenet_v3_large", 8, 0),
    ("efficientnet_b0", 1, 0),
    ("efficientnet_b0", 8, 0),
    ("densenet121", 1, 0),
    ("vit_b_16", 1, 0),
    ("bert_base", 1, 128),
    ("bert_base", 8, 128),
    ("minilm", 1, 128),
    ("minilm", 8, 128),
    ("minilm", 32, 16),
    ("gpt2", 1, 128),
]
PEERS = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
TOLERANCE = {"fp32": 1e-4, "bf16": 2e-2}  # of the reference's largest value
HERE = os.path.dirname(os.path.abspath(__file__))


class Peer:
    """Another engine with its model loaded, in a process that waits for work."""

    def __init__(self, engine, path, folder, arguments):
        self.outputs_path = os.path.join(folder, engine + ".npz")
        command = [sys.executable, os.path.join(HERE, "peers.py"), engine, path]
        command += [os.path.join(folder, "inputs.npz"), str(arguments.threads)]
        command += [arguments.precision, self.outputs_path]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.loaded = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[2]} ended: exit {self.process.wait()}")
        return json.loads(line)

    def measure(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def machine_peak(arguments):
    """Billions of operations a second in registers, or None without the executable."""
    program = os.path.join(timing.BIN, "machine_peak")
    if not os.path.exists(program):
        return None
    command = [program, "--threads", str(arguments.threads), "--seconds", "0.1"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(ended.stdout)[arguments.precision + "_gops"]


def difference(outputs, reference):
    """The largest difference of any output, over the largest value of that output."""
    worst = 0.0
    for name, expected in reference.items():
        got = outputs[name]
        if expected.shape != got.shape:
            return math.inf
        if not np.issubdtype(expected.dtype, np.number) or expected.size == 0:
            continue
        expected, got = expected.astype(np.float64), got.astype(np.float64)
        largest = np.abs(expected).max()
        error = np.abs(got - expected).max() / largest if largest else np.abs(got).max()
        worst = max(worst, math.inf if np.isnan(error) else error)
    return worst


def median(rounds, key):
    return statistics.median(one[key] for one in rounds)


def measure_inferd(path, given, arguments):
    result = timing.bench_inferd(
        path, given, arguments.seconds, arguments.threads, arguments.precision
    )
    return {
        "p50_ms": result["latency_ms"]["p50"],
        "cpu_seconds_per_run": result["cpu_seconds"] / result["runs"],
        "load_seconds": result["load_seconds"],
        "peak_rss_bytes": result["peak_rss_bytes"],
    }


def run_case(path, batch, sequence, engines, arguments):
    """What every engine took: {"inferd": {...}, "onnxruntime": {...}, ..., "peak": Gop/s, ...}."""
    shape = timing.session(path)
    inputs = timing.feed(shape, batch, sequence, arguments.image)
    del shape
    with tempfile.TemporaryDirectory() as folder:
        np.savez(os.path.join(folder, "inputs.npz"), **inputs)
        given = timing.save_inputs(inputs, folder)
        peers, result = {}, {}
        try:
            for engine in engines:
                peers[engine] = Peer(engine, path, folder, arguments)
            rounds = {engine: [] for engine in ["inferd", *peers]}
            peaks = []
            for _ in range(arguments.rounds):
                peaks.append(machine_peak(arguments))
                rounds["inferd"].append(measure_inferd(path, given, arguments))
                for engine, peer in peers.items():
                    rounds[engine].append(peer.measure(arguments.seconds))
            for engine, measured in rounds.items():
                result[engine] = {key: median(measured, key) for key in measured[0]}
                if engine in peers:
                    result[engine].update(peers[engine].loaded)
            reference = dict(np.load(peers["onnxruntime"].outputs_path))
        finally:
            for peer in peers.values():
                peer.close()
    outputs = timing.run_inferd(path, inputs, arguments.threads, arguments.precision)
    result["difference"] = difference(outputs, reference)
    result["peak"] = None if None in peaks else statistics.median(peaks)
    result["flops"] = model_flops.count(path, inputs)
    return result


def rivals(result, precision):
    """Engines whose arithmetic is of the asked precision: ONNX Runtime has no bf16 on CPU."""
    return [e for e in PEERS if e in result and (precision == "fp32" or e == "openvino")]


def best_peer(result, precision):
    return min((result[e]["p50_ms"] for e in rivals(result, precision)), default=None)


def print_row(cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def print_heading(cells):
    print_row(cells)
    print_row(["---"] + ["--:"] * (len(cells) - 1))


def number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def print_times(name, result, arguments):
    ours, best = result["inferd"], best_peer(result, arguments.precision)
    ratio = None if best is None else best / ours["p50_ms"]
    gops = result["flops"] / ours["p50_ms"] / 1e6
    share = None if result["peak"] is None else gops / result["peak"]
    cells = [name, number(ours["p50_ms"])]
    cells += [number(result[e]["p50_ms"]) if e in result else "-" for e in PEERS]
    cells += [number(ratio), number(gops, 1), number(share)]
    for engine in ["inferd", *PEERS]:
        cells.append(
            number(1e3 * result[engine]["cpu_seconds_per_run"], 1) if engine in result else "-"
        )
    print_row([*cells, f"{result['difference']:.1e}"])
    return ratio


def print_loads(rows):
    engines = {"inferd": "inferd", **PEERS}
    print("\nLoad: seconds to a session that can run. Memory: inferd's peak resident size, and what")
    print("loading and running added to that of the Python process around a peer, in MiB.\n")
    heading = ["model"] + [f"{label} load s" for label in engines.values()]
    print_heading(heading + [f"{label} MiB" for label in engines.values()])
    for name, result in rows:
        found = [result.get(engine) for engine in engines]
        cells = [number(e["load_seconds"], 3) if e else "-" for e in found]
        cells += [number(e["peak_rss_bytes"] / 2**20, 0) if e else "-" for e in found]
        print_row([name, *cells])


def find_cases(arguments):
    """(name, path, batch, sequence) of what is to be measured."""
    if arguments.set is None:
        batches = [int(batch) for batch in arguments.batch.split(",")]
        return [
            (timing.label(path), path, batch, arguments.sequence)
            for path in arguments.models
            for batch in batches
        ]
    cases = []
    for name, batch, sequence in CASES:
        path = os.path.join(arguments.set, name + ".onnx")
        if arguments.only and name not in arguments.only.split(","):
            continue
        if os.path.exists(path):
            cases.append((name, path, batch, sequence))
        else:
            print(f"{path} is missing: not measured.")
    return cases


def compare(engines, arguments):
    """Prints the tables; how many cases failed."""
    failed, rows, ratios = 0, [], []
    labels = ["inferd", *PEERS.values()]
    print(f"Precision {arguments.precision}, threads {arguments.threads}.\n")
    heading = ["model"] + [f"{label} ms" for label in labels]
    heading += ["ratio", "Gop/s", "of peak"]
    print_heading(heading + [f"{label} CPU s/1000" for label in labels] + ["difference"])
    for name, path, batch, sequence in find_cases(arguments):
        label = f"{name} b{batch}" + (f" s{sequence}" if sequence and arguments.set else "")
        try:
            result = run_case(path, batch, sequence, engines, arguments)
        except Exception as error:  # one model's failure must not hide the others
            print(f"{label} FAILED {error}", file=sys.stderr)
            failed += 1
            continue
        rows.append((label, result))
        ratio = print_times(label, result, arguments)
        ratios += [] if ratio is None else [ratio]
        slow = ratio is not None and ratio * arguments.limit < 1
        failed += slow or result["difference"] > TOLERANCE[arguments.precision]
    if ratios:
        mean = math.exp(statistics.mean(math.log(ratio) for ratio in ratios))
        print_row(["geometric mean", "", "", "", number(mean, 3), *[""] * 6])
    print_loads(rows)
    return failed


def installed_engines(arguments):
    found = []
    for engine, label in PEERS.items():
        if importlib.util.find_spec(engine):
            found.append(engine)
        else:
            print(f"{label} is not installed for {sys.executable}: not measured.")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("models", nargs="*", metavar="MODEL.onnx")
    parser.add_argument("--peers", help="Python of a venv with tests/bench/requirements.txt")
    parser.add_argument("--set", help="folder with the models of the benchmark set")
    parser.add_argument("--only", help="of the set only these models, such as resnet50,gpt2")
    parser.add_argument("--batch", default="1", help="batch sizes, such as 1,8")
    parser.add_argument("--sequence", type=int, default=128)
    parser.add_argument("--image", type=int, default=224)
    parser.add_argument("--precision", choices=list(TOLERANCE), default="fp32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1.5)
    arguments = parser.parse_args()
    if (arguments.set is None) == (not arguments.models):
        parser.error("expected either --set DIR or models")
    if arguments.peers and os.path.abspath(arguments.peers) != os.path.abspath(sys.executable):
        os.execv(arguments.peers, [arguments.peers, *sys.argv])
    engines = installed_engines(arguments)
    if "onnxruntime" not in engines:
        print("Without ONNX Runtime there is no reference: nothing measured.")
        return 0
    global np, timing, model_flops
    import numpy as np

    import model_flops
    import timing

    return 1 if compare(engines, arguments) else 0


if __name__ == "__main__":
    sys.exit(main())
