#pragma once

#include <cstdint>

namespace inferd::cpu {

// dst[r][c] = src[c][r] for r in [0, rows), c in [0, cols): elements of `unit_bytes` (1, 2, 4, 8 or
// 16) follow each other along r in src and along c in dst; `src_step` and `dst_step` are the
// distances in bytes of neighbours in the other direction. The ranges must not overlap.
void TransposeTile(const char* src, int64_t src_step, char* dst, int64_t dst_step, int64_t rows,
                   int64_t cols, int64_t unit_bytes);

}  // namespace inferd::cpu
