#!/usr/bin/env python3
"""ONNX's own backend tests, as the onnx package carries them, through `inferd test`.

Every folder must pass on the CPU provider and on the portable kernels, except those that
known_gaps.txt lists, each with its reason; one that is listed and passes fails this test too.
Operators that draw random numbers cannot give the listed answers: random_operators.py checks
their types, shapes and moments instead.

    onnx_backend_test.py [--provider cpu|portable] [--optimization none|basic|all] [NAME...]

NAME picks some folders: node/test_relu, light.
"""

import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from conformance.random_operators import RANDOM_CASES, check_random_case  # noqa: E402
from conformance.write_cases import write_light_cases, write_node_cases  # noqa: E402
from e2e.clients import onnx  # noqa: E402
from e2e.daemon import INFERD  # noqa: E402

GAPS = os.path.join(HERE, "known_gaps.txt")
BATCH = 200
PROVIDERS = ("cpu", "portable")


def data_folders():
    root = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data")
    return sorted(os.path.dirname(path) for path in glob.glob(f"{root}/*/*/model.onnx"))


def name_of(folder):
    """node/test_relu, light/light_squeezenet, ..."""
    return "/".join(folder.replace(os.sep, "/").split("/")[-2:])


def run(folders, provider="cpu", optimization="all", arguments=()):
    """{folder: 'passed', 'failed' or 'skipped', with the reason}, one process for a few hundred."""
    ended = subprocess.run(
        [
            *(INFERD, "test", "--provider", provider, "--optimization", optimization),
            *arguments,
            *folders,
        ],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=600,
    )
    lines = ended.stdout.splitlines()
    counts = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", lines[-1] if lines else "")
    if counts is None:  # it crashed: find the folder that did it
        if len(folders) == 1:
            return {folders[0]: f"failed: exit {ended.returncode} {ended.stderr[-300:]}"}
        half = len(folders) // 2
        return {
            **run(folders[:half], provider, optimization, arguments),
            **run(folders[half:], provider, optimization, arguments),
        }
    results = {folder: "passed" for folder in folders}
    for line in lines[:-1]:
        named = re.match(r"(FAILED|SKIPPED) (\S+): ", line)
        if named and named.group(2) in results:
            results[named.group(2)] = line
    assert sum(r == "passed" for r in results.values()) == int(
        counts.group(1)
    ), "the lines of `inferd test` name other folders than its sum counts"
    return results


def run_all(folders, provider, optimization):
    """{name: result}; random operators get 'skipped' when their checks hold."""
    results = {}
    compared = [folder for folder in folders if name_of(folder) not in RANDOM_CASES]
    for start in range(0, len(compared), BATCH):
        batch = run(compared[start : start + BATCH], provider, optimization)
        results.update((name_of(folder), result) for folder, result in batch.items())
    for folder in folders:
        if name_of(folder) in RANDOM_CASES:
            results[name_of(folder)] = check_random_case(INFERD, provider, folder)
    return results


def read_gaps():
    """{name: reason}; a line is the folder's name and why it cannot pass."""
    with open(GAPS, encoding="utf-8") as file:
        lines = [line.split(maxsplit=1) for line in file if line.strip() and line[0] != "#"]
    for line in lines:
        assert len(line) == 2, f"known_gaps.txt: {line[0]} has no reason"
    return {name: reason.strip() for name, reason in lines}


def report(provider, results, gaps):
    """Prints what is wrong and the sum; the number of wrong folders."""
    wrong = 0
    for name, result in sorted(results.items()):
        good = result == "passed" or result.startswith("skipped")
        if good and name in gaps:
            print(f"{provider}: {name} passes: take it out of known_gaps.txt")
        elif not good and name not in gaps:
            print(f"{provider}: {name}: {result}")
        else:
            continue
        wrong += 1
    for kind in sorted({name.split("/")[0] for name in results}):
        of_kind = [result for name, result in results.items() if name.split("/")[0] == kind]
        passed = sum(result == "passed" for result in of_kind)
        skipped = sum(result.startswith("skipped") for result in of_kind)
        print(f"{provider}: {kind}: {passed} of {len(of_kind)} pass, {skipped} skipped")
    return wrong


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--provider", choices=PROVIDERS)
    parser.add_argument("--optimization", choices=("none", "basic", "all"), default="all")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="inferd-test-") as root:
        node_folders, unwritten = write_node_cases(root)
        for name, reason in unwritten.items():
            print(f"not written: {name}: {reason}")
        folders = data_folders() + write_light_cases(root) + node_folders
        if arguments.names:
            folders = [f for f in folders if any(n in name_of(f) for n in arguments.names)]
        wrong = len(unwritten)
        for provider in [arguments.provider] if arguments.provider else PROVIDERS:
            wrong += report(provider, run_all(folders, provider, arguments.optimization), read_gaps())
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
