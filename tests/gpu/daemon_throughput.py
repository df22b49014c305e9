#!/usr/bin/env python3
"""What the whole daemon keeps of the engine's throughput on a GPU: a Markdown row.

    daemon_throughput.py --bin FOLDER [--provider cuda] [--model FILE] [--seconds S]

MiniLM's encoder (6 layers of 384, made here with random weights unless a file is given), 32 sequences
of 128 tokens a request: `inferd bench` in process, then `inferd serve` and `inferd-loadtest` over gRPC
with a few requests in flight. The exit code is 1 where the daemon has less than 80 % of it.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROWS = 32
TOKENS = 128
LEAST_SHARE = 0.8
IN_FLIGHT = (2, 4, 8)


def export_minilm(path):
    import torch
    from compare_torch import bert

    torch.manual_seed(1)
    encoder = bert(
        hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
    )
    torch.onnx.export(
        encoder,
        (torch.randint(0, 30000, (2, TOKENS)),),
        path,
        input_names=["ids"],
        output_names=["hidden"],
        dynamic_axes={"ids": {0: "batch"}, "hidden": {0: "batch"}},
        dynamo=False,
        opset_version=17,
    )


def engine_rows(arguments, path):
    """Rows a second in process."""
    command = [os.path.join(arguments.bin, "inferd"), "bench", path, "--json"]
    command += ["--provider", arguments.provider, "--shape", f"ids={ROWS}x{TOKENS}"]
    command += ["--seconds", str(arguments.seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=200)
    return 1000 * ROWS / json.loads(done.stdout)["latency_ms"]["mean"]


def start_daemon(arguments, repository, *more):
    """The process, once it is ready, and its addresses by protocol."""
    command = [os.path.join(arguments.bin, "inferd"), "serve", "--model-repository", repository]
    command += ["--provider", arguments.provider, "--grpc-port", "0", "--http-port", "0"]
    command += ["--metrics-port", "0", *more]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    addresses = {}
    for line in daemon.stdout:
        if line.startswith("listening"):
            addresses = dict(re.findall(r"(\w+)=(\S+)", line))
        if line.strip() == "ready":
            return daemon, addresses
    raise RuntimeError(f"the daemon ended with {daemon.wait()} before it was ready")


def daemon_rows(arguments, address, in_flight):
    """Rows a second over gRPC, and the median milliseconds of a request."""
    command = [os.path.join(arguments.bin, "inferd-loadtest"), "--url", address]
    command += ["--model", "minilm", "--concurrency", str(in_flight), "--json"]
    command += ["--seconds", str(arguments.seconds), "--shape", f"ids={ROWS}x{TOKENS}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=200)
    report = json.loads(done.stdout)
    if report["errors"]:
        raise RuntimeError(f"requests failed: {report['errors']}")
    return ROWS * report["rate"], report["latency_ms"]["p50"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, help="the folder of inferd and inferd-loadtest")
    parser.add_argument("--provider", default="cuda")
    parser.add_argument("--model", help="an .onnx file with one input, ids, of [batch, tokens]")
    parser.add_argument("--seconds", type=float, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "minilm", "1", "model.onnx")
        os.makedirs(os.path.dirname(path))
        if arguments.model:
            shutil.copy(arguments.model, path)
        else:
            export_minilm(path)
        alone = engine_rows(arguments, path)
        daemon, addresses = start_daemon(arguments, folder)
        try:
            through = [(*daemon_rows(arguments, addresses["grpc"], n), n) for n in IN_FLIGHT]
        finally:
            daemon.terminate()
            daemon.wait(timeout=60)
    rows, latency, in_flight = max(through)
    share = rows / alone
    verdict = "ok" if share >= LEAST_SHARE else f"LESS THAN {100 * LEAST_SHARE:.0f} %"
    print("| model | engine alone rows/s | through gRPC rows/s | in flight | p50 ms | share |")
    print("|---|---|---|---|---|---|")
    print(
        f"| MiniLM s{TOKENS} b{ROWS} | {alone:.0f} | {rows:.0f} | {in_flight} | {latency:.2f} "
        f"| {100 * share:.0f} % {verdict} |"
    )
    return 0 if share >= LEAST_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
