#!/usr/bin/env python3
"""Puts the `filetype` example, the ONNX model of the PyPI package magika, into a model repository.

usage: fetch_filetype.py MODELS_DIR     exit 3 when the package index cannot be reached
The package's wheel is downloaded with pip and only its model is taken; nothing of it is installed
or run. Input `bytes` int32 [batch,2048], output `target_label` float32 [batch,214].
"""

import glob
import json
import os
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "magika>=1.0.0"
UNREACHABLE = 3


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = os.path.join(sys.argv[1], "filetype")
    if os.path.exists(f"{folder}/1/model.onnx") and os.path.exists(f"{folder}/labels.txt"):
        return 0
    with tempfile.TemporaryDirectory() as downloads:
        pip = subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                "-q",
                "--no-deps",
                "--only-binary=:all:",
                "--retries",
                "2",
                "--dest",
                downloads,
                PACKAGE,
            ],
            capture_output=True,
            text=True,
        )
        wheels = glob.glob(f"{downloads}/*.whl")
        if pip.returncode != 0 or not wheels:
            print((pip.stderr.strip().splitlines() or ["pip said nothing"])[-1], file=sys.stderr)
            return UNREACHABLE
        with zipfile.ZipFile(wheels[0]) as wheel:
            model = next(name for name in wheel.namelist() if name.endswith("/model.onnx"))
            settings = json.loads(wheel.read(model.replace("model.onnx", "config.min.json")))
            os.makedirs(f"{folder}/1", exist_ok=True)
            with open(f"{folder}/labels.txt", "w", encoding="utf-8") as file:
                file.writelines(f"{label}\n" for label in settings["target_labels_space"])
            with open(f"{folder}/1/model.onnx.new", "wb") as file:
                file.write(wheel.read(model))
            os.replace(f"{folder}/1/model.onnx.new", f"{folder}/1/model.onnx")
    return 0


if __name__ == "__main__":
    sys.exit(main())
