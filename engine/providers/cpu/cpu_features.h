#pragma once

namespace inferd::cpu {

// Whether the processor has instructions for products of bfloat16 (AVX512_BF16) and the operating
// system lets this process use them. The first call also asks for the tile registers of AMX, which
// Linux gives to those processes only that ask. Thread-safe.
bool ComputesBfloat16();

// Whether, besides, it has tile registers for such products (AMX_BF16) and this process may use
// them. Thread-safe.
bool ComputesBfloat16Tiles();

}  // namespace inferd::cpu
