#pragma once

namespace inferd::cpu {

// How many multiply-adds of bfloat16 this processor does with vector instructions in the time of
// one of floats: about 1/2 on Intel's processors, whose tiles are made for them, 2 on AMD's.
// Measured once, in a tenth of a millisecond. Only where ComputesBfloat16(). Thread-safe.
double Bfloat16VectorGain();

// Whether products in bfloat16 are faster than in floats on this processor.
bool GainsByBfloat16();

}  // namespace inferd::cpu
