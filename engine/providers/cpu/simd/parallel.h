#pragma once

#include <algorithm>
#include <cstdint>

namespace inferd::cpu {

// Calls fn(part, begin, end) over disjoint ranges that cover [0, count), on at most `threads`
// OpenMP threads, each with at least `min_per_thread` items; `part` counts from 0. One thread calls
// fn once and touches no OpenMP. Range borders are multiples of `granule`. fn must not throw.
template <typename Fn>
void ParallelParts(int threads, int64_t count, int64_t min_per_thread, int64_t granule,
                   const Fn& fn) {
  if (count <= 0) return;
  const int64_t most = std::max<int64_t>(1, count / std::max<int64_t>(1, min_per_thread));
  const int team = static_cast<int>(std::min<int64_t>(threads, most));
  if (team <= 1) {
    fn(0, int64_t{0}, count);
    return;
  }
  const int64_t share = ((count + team - 1) / team + granule - 1) / granule * granule;
#pragma omp parallel for num_threads(team) schedule(static, 1)
  for (int part = 0; part < team; ++part) {
    const int64_t begin = std::min(count, part * share);
    const int64_t end = std::min(count, begin + share);
    if (begin < end) fn(part, begin, end);
  }
}

// The same with fn(begin, end).
template <typename Fn>
void ParallelRanges(int threads, int64_t count, int64_t min_per_thread, int64_t granule,
                    const Fn& fn) {
  ParallelParts(threads, count, min_per_thread, granule,
                [&fn](int, int64_t begin, int64_t end) { fn(begin, end); });
}

}  // namespace inferd::cpu
