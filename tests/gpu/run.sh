#!/usr/bin/env bash
# On a machine with an NVIDIA GPU: every operator's cases against the portable kernels, then models
# against torch, from the folder that tests/gpu/pack.sh made. Needs nothing installed but a driver
# and, for the comparison, a python3 with torch, torchvision, transformers and onnx.
#
# usage: run.sh [tests|models]   (both, without an argument; each ends within 9 minutes)
set -uo pipefail
readonly HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly WHAT="${1:-all}"

# cuBLASLt and cuDNN: the machine's own, or those that came with torch.
libraries() {
  python3 - <<'PYTHON' 2>/dev/null
import glob, os, sys
for root in sys.path:
    for folder in glob.glob(os.path.join(root, "nvidia", "*", "lib")):
        print(folder)
PYTHON
}
export LD_LIBRARY_PATH="$HERE/lib:$(libraries | paste -sd:):/usr/local/cuda/lib64:${LD_LIBRARY_PATH:-}"
export INFERD_TEST_PROVIDER=cuda

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || true
failed=0
if [ "$WHAT" != models ]; then
  timeout 500 "$HERE/bin/engine_providers_cuda_test" --gtest_brief=1 || failed=1
fi
if [ "$WHAT" != tests ]; then
  timeout 520 python3 "$HERE/compare_torch.py" --inferd "$HERE/bin/inferd" || failed=1
fi
exit $failed
