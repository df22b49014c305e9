#!/usr/bin/env bash
# On a machine with an NVIDIA GPU, from the folder that tests/gpu/pack.sh made: every operator's cases
# against the portable kernels, the latency of a recorded graph, models against torch (and against
# ONNX Runtime where it has CUDA), memory that a client shares, and MiniLM through the whole daemon
# against the engine alone. Needs nothing installed but a driver and, for all but the operators, a
# python3 with torch, torchvision, transformers and onnx. Prints Markdown. Exits with 2, saying why,
# where no GPU answers; with 1 where something failed.
#
# usage: run.sh [tests|models|daemon]   (all, without an argument; each ends within 9 minutes)
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

asked_for() { [ "$WHAT" = all ] || [ "$WHAT" = "$1" ]; }
case "$WHAT" in
  all | tests | models | daemon) ;;
  *) echo "usage: run.sh [tests|models|daemon]" >&2; exit 1 ;;
esac

# The first to touch the GPU.
latency="$(timeout 60 "$HERE/bin/graph_latency")"
answer=$?
if [ "$answer" -eq 2 ]; then
  echo "run.sh: no GPU answers here, nothing was run" >&2
  exit 2
fi
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || true
failed=0
[ "$answer" -eq 0 ] || failed=1
if asked_for tests; then
  printf '%s\n' "$latency"
  timeout 480 "$HERE/bin/engine_providers_cuda_test" --gtest_brief=1 || failed=1
fi
if asked_for models; then
  timeout 520 python3 "$HERE/compare_torch.py" --inferd "$HERE/bin/inferd" || failed=1
fi
if asked_for daemon; then
  timeout 60 python3 "$HERE/shared_memory.py" --bin "$HERE/bin" || failed=1
  timeout 460 python3 "$HERE/daemon_throughput.py" --bin "$HERE/bin" || failed=1
fi
exit $failed
