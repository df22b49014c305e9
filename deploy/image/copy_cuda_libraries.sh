#!/usr/bin/env bash
# Copies the CUDA libraries that libinferd_cuda.so links or loads while it runs, and what those load,
# from the toolkit to a folder, under the names by which they are looked for.
#
# usage: deploy/image/copy_cuda_libraries.sh FOLDER
set -euo pipefail
readonly TO="${1:?usage: deploy/image/copy_cuda_libraries.sh FOLDER}"
readonly FROM=(/usr/local/cuda/lib64 /usr/local/cuda-13.0/lib64 /usr/lib/x86_64-linux-gnu)
# cuDNN without the parts for training and recurrent networks; NVRTC for generated kernels.
readonly LIBRARIES=(
  libcublasLt.so.13
  libcudnn.so.9
  libcudnn_graph.so.9
  libcudnn_ops.so.9
  libcudnn_cnn.so.9
  libcudnn_heuristic.so.9
  libcudnn_engines_precompiled.so.9
  libcudnn_engines_runtime_compiled.so.9
  libnvrtc.so.13
  libnvrtc-builtins.so.13.0
)

mkdir -p "$TO"
for library in "${LIBRARIES[@]}"; do
  found=""
  for folder in "${FROM[@]}"; do
    [ -e "$folder/$library" ] && found="$folder/$library" && break
  done
  [ -n "$found" ] || { echo "copy_cuda_libraries.sh: no $library in ${FROM[*]}" >&2; exit 1; }
  cp -L "$found" "$TO/$library"
done
# What is linked and neither copied nor a system library is missing from the list.
if [ -e "$TO/libinferd_cuda.so" ]; then
  readelf -d "$TO/libinferd_cuda.so" | sed -n 's/.*NEEDED.*\[\(lib\(cu\|nv\)[^]]*\)\]/\1/p' |
    while read -r needed; do
      [ -e "$TO/$needed" ] || { echo "copy_cuda_libraries.sh: $needed is linked, not copied" >&2; exit 1; }
    done
fi
