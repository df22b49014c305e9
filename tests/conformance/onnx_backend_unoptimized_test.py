#!/usr/bin/env python3
"""ONNX's own backend tests with every pass switched off.

With onnx_backend_test.py this shows that the passes change no answer: both hold the engine to the
same expected outputs, and both must pass in full.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from conformance.onnx_backend_test import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(["--provider", "cpu", "--optimization", "none", *sys.argv[1:]]))
