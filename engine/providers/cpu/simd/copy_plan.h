#pragma once

#include <cstdint>
#include <string>

#include "absl/container/inlined_vector.h"
#include "engine/core/shape.h"

namespace inferd::cpu {

// A copy of a block of elements between two strided places, prepared as the fewest and longest
// moves: whole runs, transposed tiles, or single elements. What Transpose, Reorder, Concat, Split,
// Slice, Expand, Tile and Pad are made of. Any element type but strings. Immutable.
class CopyPlan {
 public:
  CopyPlan() = default;
  // Strides and offsets are in elements; the target's strides are positive, the source's may be 0
  // (repeat) or negative.
  CopyPlan(const Shape& shape, const Shape::Dims& source_strides, int64_t source_offset,
           const Shape::Dims& target_strides, int64_t target_offset, int64_t element_bytes);

  // `source` and `target` must not overlap.
  void Run(const void* source, void* target, int threads) const;

  int64_t bytes() const { return bytes_; }
  // "runs of 256 bytes", "tiles of 4 bytes", ...
  std::string description() const;

 private:
  struct Dim {
    int64_t size;
    int64_t source;  // bytes
    int64_t target;  // bytes
  };
  using Dims = absl::InlinedVector<Dim, 6>;
  enum class Mode : uint8_t { kRuns, kTiles, kElements };

  static Dims Simplified(const Shape& shape, const Shape::Dims& source_strides,
                         const Shape::Dims& target_strides, int64_t element_bytes);
  void ChooseLoops(Dims dims);
  void RunUnits(const char* source, char* target, int64_t begin, int64_t end) const;
  void Move(const char* source, char* target) const;

  Mode mode_ = Mode::kRuns;
  Dims outer_;        // one unit of work for each combination of indices
  Dim row_{1, 0, 0};  // tiles: contiguous in the source
  Dim col_{1, 0, 0};  // innermost in the target
  int64_t unit_bytes_ = 0;
  int64_t source_offset_ = 0;
  int64_t target_offset_ = 0;
  int64_t units_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace inferd::cpu
