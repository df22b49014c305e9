"""The Python packages that the end-to-end tests need, or exit 77 (skipped) without them."""

import os
import sys

SKIPPED = 77
try:
    import google.protobuf.text_format as text_format
    import grpc
    import ml_dtypes
    import numpy as np
    import onnx
    import tritonclient.grpc as triton
    from tritonclient.grpc import service_pb2 as messages
    from tritonclient.grpc import service_pb2_grpc as service
except ImportError as error:
    print(f"skipped: {error}; tests/requirements.txt lists what is needed")
    sys.exit(1 if os.environ.get("INFERD_REQUIRE_CLIENTS") else SKIPPED)

__all__ = ["grpc", "ml_dtypes", "messages", "np", "onnx", "service", "text_format", "triton"]
