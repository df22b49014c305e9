#!/usr/bin/env python3
"""ONNX's own backend tests, as the onnx package carries them, through `inferd test`.

passing.txt lists the folders that must pass; one that no longer does fails this test. Run with
--update after adding operators to write the list anew.
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from conformance.write_node_cases import write_node_cases  # noqa: E402
from e2e.clients import onnx  # noqa: E402
from e2e.daemon import INFERD  # noqa: E402

PASSING = os.path.join(HERE, "passing.txt")
BATCH = 200


def data_folders():
    root = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data")
    return sorted(os.path.dirname(path) for path in glob.glob(f"{root}/*/*/model.onnx"))


def name_of(folder):
    """node/test_relu, light/light_squeezenet, ..."""
    return "/".join(folder.replace(os.sep, "/").split("/")[-2:])


def run(folders):
    """{folder: 'passed', 'failed' or 'skipped', with the reason}, one process for a few hundred."""
    ended = subprocess.run(
        [INFERD, "test", *folders], capture_output=True, text=True, errors="replace", timeout=600
    )
    lines = ended.stdout.splitlines()
    counts = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", lines[-1] if lines else "")
    if counts is None:  # it crashed: find the folder that did it
        if len(folders) == 1:
            return {folders[0]: f"failed: exit {ended.returncode} {ended.stderr[-300:]}"}
        half = len(folders) // 2
        return {**run(folders[:half]), **run(folders[half:])}
    results = {folder: "passed" for folder in folders}
    for line in lines[:-1]:
        named = re.match(r"(FAILED|SKIPPED) (\S+): ", line)
        if named and named.group(2) in results:
            results[named.group(2)] = line
    assert sum(r == "passed" for r in results.values()) == int(
        counts.group(1)
    ), "the lines of `inferd test` name other folders than its sum counts"
    return results


def main():
    made = tempfile.TemporaryDirectory(prefix="inferd-test-")
    node_folders, unwritten = write_node_cases(made.name)
    for name, reason in unwritten.items():
        print(f"not written: {name}: {reason}")
    folders = data_folders() + node_folders
    results = {}
    for start in range(0, len(folders), BATCH):
        results.update(run(folders[start : start + BATCH]))
    passed = {name_of(folder) for folder, result in results.items() if result == "passed"}
    print(f"{len(passed)} of {len(folders)} folders of onnx {onnx.__version__} pass")
    if "--update" in sys.argv:
        with open(PASSING, "w", encoding="utf-8") as file:
            file.writelines(f"{name}\n" for name in sorted(passed))
        return 0
    if not os.path.exists(PASSING):
        sys.exit("tests/conformance/passing.txt is missing; write it with --update")
    with open(PASSING, encoding="utf-8") as file:
        expected = set(file.read().split())
    reasons = {name_of(folder): result for folder, result in results.items()}
    # Another onnx package may have other folders: only those that both know count.
    lost = sorted(name for name in expected - passed if name in reasons)
    for name in lost:
        print(f"no longer passes: {name}: {reasons[name]}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
