#!/usr/bin/env bash
# Puts what tests/gpu/run.sh needs on a machine with a GPU into one folder: the operator tests and
# the commands, without oneDNN, with the shared libraries that they need beside CUDA's own.
#
# usage: tests/gpu/pack.sh FOLDER
set -euo pipefail
readonly ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
readonly TO="${1:?usage: tests/gpu/pack.sh FOLDER}"
readonly BUILD="$ROOT/build/gpu"

cmake --preset gpu -S "$ROOT" >/dev/null
ninja -C "$BUILD" engine_providers_cuda_test inferd_cuda inferd
mkdir -p "$TO/bin" "$TO/lib"
cp "$BUILD/tests/bin/engine_providers_cuda_test" "$BUILD/bin/inferd" "$TO/bin/"
cp "$BUILD/lib/libinferd_engine.so" "$BUILD/lib/libinferd_cuda.so" "$TO/lib/"
# Not the C library, which must be that machine's, nor what its CUDA brings.
for file in "$TO"/bin/* "$TO"/lib/*.so; do
  LD_LIBRARY_PATH="$BUILD/lib" ldd "$file" | awk '$3 ~ /^\// {print $3}'
done | sort -u | grep -vE '/(libc|libm|libdl|libpthread|librt|ld-linux[^/]*|libcu[^/]*|libnv[^/]*|libinferd_[^/]*)\.so' |
  while read -r library; do cp -L "$library" "$TO/lib/"; done
strip --strip-unneeded "$TO"/bin/* "$TO"/lib/*.so* 2>/dev/null || true
cp "$ROOT/tests/gpu/run.sh" "$ROOT/tests/gpu/compare_torch.py" "$TO/"
du -sm "$TO" | awk '{print "packed " $1 " MB into " $2}'
