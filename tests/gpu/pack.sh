#!/usr/bin/env bash
# Puts what tests/gpu/run.sh needs on a machine with a GPU into one folder, 60 MB at most: the
# operator tests, the commands, the load generator and the latency of a graph, without oneDNN, with the
# shared libraries that they need beside CUDA's own.
#
# usage: tests/gpu/pack.sh FOLDER
set -euo pipefail
readonly ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
readonly TO="${1:?usage: tests/gpu/pack.sh FOLDER}"
readonly BUILD="$ROOT/build/gpu"
readonly MOST_MEGABYTES=60

cmake --preset gpu -S "$ROOT" >/dev/null
ninja -C "$BUILD" engine_providers_cuda_test graph_latency inferd_cuda inferd inferd-loadtest
mkdir -p "$TO/bin" "$TO/lib"
cp "$BUILD/tests/bin/engine_providers_cuda_test" "$BUILD/tests/bin/graph_latency" \
  "$BUILD/bin/inferd" "$BUILD/bin/inferd-loadtest" "$TO/bin/"
cp "$BUILD/lib/libinferd_engine.so" "$BUILD/lib/libinferd_cuda.so" "$TO/lib/"
# Not the C library, which must be that machine's, nor what its CUDA brings.
for file in "$TO"/bin/* "$TO"/lib/*.so; do
  LD_LIBRARY_PATH="$BUILD/lib" ldd "$file" | awk '$3 ~ /^\// {print $3}'
done | sort -u | grep -vE '/(libc|libm|libdl|libpthread|librt|ld-linux[^/]*|libcu[^/]*|libnv[^/]*|libinferd_[^/]*)\.so' |
  while read -r library; do cp -L "$library" "$TO/lib/"; done
strip --strip-unneeded "$TO"/bin/* "$TO"/lib/*.so* 2>/dev/null || true
cp "$ROOT"/tests/gpu/{run.sh,compare_torch.py,daemon_throughput.py,shared_memory.py} "$TO/"
megabytes="$(du -sm "$TO" | cut -f1)"
echo "packed $megabytes MB into $TO"
[ "$megabytes" -le "$MOST_MEGABYTES" ] || { echo "more than $MOST_MEGABYTES MB" >&2; exit 1; }
