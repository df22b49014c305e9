#!/usr/bin/env python3
"""ONNX's own backend tests on devices that need no hardware.

A fake device whose memory the host cannot touch, once with every node that it can run and once with
about half of them, so that most values cross; and the CUDA provider over its emulated runtime, where
it was built, with every island however small. What passes on the CPU must pass there.

    device_test.py [NAME...]
"""

import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from conformance.onnx_backend_test import (  # noqa: E402
    BATCH,
    data_folders,
    name_of,
    read_gaps,
    report,
    run,
)
from conformance.random_operators import RANDOM_CASES  # noqa: E402
from conformance.write_cases import write_node_cases  # noqa: E402
from e2e.daemon import BIN  # noqa: E402

# Provider, what the fake device takes, further arguments.
MODES = (
    ("fake", "all", ()),
    ("fake", "half", ()),
    ("cuda_emulated", "", ("--disable-pass", "give_back_islands")),
)

# Of operators in 16 bits the portable kernels and ONNX's reference round after every step of the
# computation, those of a device once at its end.
NARROW = re.compile("fp16|bf16|float16")
ONE_ROUNDING = ("--rtol", "1e-2", "--atol", "4e-3")


def is_built(provider):
    return os.path.exists(os.path.join(BIN, "..", "lib", f"libinferd_{provider}.so"))


def main(names):
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="inferd-test-") as root:
        node_folders, _ = write_node_cases(root)
        # Of whole models only small ones: the devices are slow.
        folders = [f for f in data_folders() if "/light/" not in f] + node_folders
        folders = [f for f in folders if name_of(f) not in RANDOM_CASES]
        if names:
            folders = [f for f in folders if any(n in name_of(f) for n in names)]
        for provider, takes, arguments in MODES:
            if not is_built(provider):
                print(f"{provider}: not in this build")
                continue
            os.environ["INFERD_FAKE_DEVICE"] = takes
            results = {}
            narrow = [f for f in folders if NARROW.search(name_of(f))]
            wide = [f for f in folders if not NARROW.search(name_of(f))]
            tolerant = arguments if provider == "fake" else (*arguments, *ONE_ROUNDING)
            for group, options in ((wide, arguments), (narrow, tolerant)):
                for start in range(0, len(group), BATCH):
                    batch = run(group[start : start + BATCH], provider, arguments=options)
                    results.update((name_of(folder), result) for folder, result in batch.items())
            wrong += report(f"{provider} {takes}".strip(), results, read_gaps())
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
