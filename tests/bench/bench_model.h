#pragma once

#include <benchmark/benchmark.h>

#include "tests/support/model_builder.h"

namespace inferd::bench {

// Times runs of a model whose input sizes are all known, on the CPU provider with one thread.
// Inputs: floats N(0,1), integers below `integer_limit`. Reports Gop/s and GB/s over the steps of
// its plan, and each as a part of what the machine can do at most just then: `of_peak` of its FMA
// rate, `of_copy` of copying memory (above 1 where caches hold the data).
void BenchModel(benchmark::State& state, const testing::ModelBuilder& model,
                int64_t integer_limit = 2);

}  // namespace inferd::bench
