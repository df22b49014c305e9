#include "engine/providers/cpu/simd/copy_plan.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/tile_transpose.h"

namespace inferd::cpu {
namespace {

constexpr int64_t kRowsPerUnit = 64;            // of a tile: keeps its target lines in cache
constexpr int64_t kMinBytesPerThread = 262144;  // worth waking a thread for

bool IsUnit(int64_t bytes) {
  return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8 || bytes == 16;
}

struct Pair {
  uint64_t halves[2];
};

template <typename T>
void MoveElements(const char* source, int64_t source_step, char* target, int64_t target_step,
                  int64_t count) {
  T value;
  if (source_step == 0) {
    std::memcpy(&value, source, sizeof(T));
    for (int64_t i = 0; i < count; ++i) std::memcpy(target + i * target_step, &value, sizeof(T));
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(&value, source + i * source_step, sizeof(T));
    std::memcpy(target + i * target_step, &value, sizeof(T));
  }
}

}  // namespace

// Dimensions of size 1 dropped, ordered from the outermost to the innermost in the target, and
// neighbours joined where they are one longer dimension on both sides.
CopyPlan::Dims CopyPlan::Simplified(const Shape& shape, const Shape::Dims& source_strides,
                                    const Shape::Dims& target_strides, int64_t element_bytes) {
  Dims all;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == 1) continue;
    all.push_back({shape[i], source_strides[i] * element_bytes, target_strides[i] * element_bytes});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Dim& a, const Dim& b) { return a.target > b.target; });
  Dims dims;
  for (const Dim& dim : all) {
    if (!dims.empty() && dims.back().source == dim.source * dim.size &&
        dims.back().target == dim.target * dim.size) {
      dims.back() = {dims.back().size * dim.size, dim.source, dim.target};
    } else {
      dims.push_back(dim);
    }
  }
  return dims;
}

CopyPlan::CopyPlan(const Shape& shape, const Shape::Dims& source_strides, int64_t source_offset,
                   const Shape::Dims& target_strides, int64_t target_offset, int64_t element_bytes)
    : unit_bytes_(element_bytes),
      source_offset_(source_offset * element_bytes),
      target_offset_(target_offset * element_bytes),
      bytes_(shape.num_elements() * element_bytes) {
  if (bytes_ == 0) return;
  ChooseLoops(Simplified(shape, source_strides, target_strides, element_bytes));
}

void CopyPlan::ChooseLoops(Dims dims) {
  if (!dims.empty() && dims.back().source == unit_bytes_ && dims.back().target == unit_bytes_) {
    unit_bytes_ *= dims.back().size;
    dims.pop_back();
  }
  mode_ = IsUnit(unit_bytes_) ? Mode::kElements : Mode::kRuns;
  if (!dims.empty()) {
    col_ = dims.back();
    dims.pop_back();
  }
  if (mode_ == Mode::kElements && col_.target == unit_bytes_) {
    const auto row = std::find_if(dims.begin(), dims.end(),
                                  [&](const Dim& dim) { return dim.source == unit_bytes_; });
    if (row != dims.end()) {
      mode_ = Mode::kTiles;
      row_ = *row;
      dims.erase(row);
    }
  }
  outer_ = std::move(dims);
  units_ = mode_ == Mode::kTiles ? (row_.size + kRowsPerUnit - 1) / kRowsPerUnit : 1;
  for (const Dim& dim : outer_) units_ *= dim.size;
}

void CopyPlan::Move(const char* source, char* target) const {
  if (mode_ == Mode::kRuns) {
    for (int64_t i = 0; i < col_.size; ++i) {
      std::memcpy(target + i * col_.target, source + i * col_.source, unit_bytes_);
    }
    return;
  }
  switch (unit_bytes_) {
    case 1:
      return MoveElements<uint8_t>(source, col_.source, target, col_.target, col_.size);
    case 2:
      return MoveElements<uint16_t>(source, col_.source, target, col_.target, col_.size);
    case 4:
      return MoveElements<uint32_t>(source, col_.source, target, col_.target, col_.size);
    case 8:
      return MoveElements<uint64_t>(source, col_.source, target, col_.target, col_.size);
    default:
      return MoveElements<Pair>(source, col_.source, target, col_.target, col_.size);
  }
}

void CopyPlan::RunUnits(const char* source, char* target, int64_t begin, int64_t end) const {
  const int64_t chunks = mode_ == Mode::kTiles ? (row_.size + kRowsPerUnit - 1) / kRowsPerUnit : 1;
  for (int64_t unit = begin; unit < end; ++unit) {
    int64_t rest = unit / chunks;
    const char* from = source;
    char* to = target;
    for (size_t d = outer_.size(); d-- > 0 && rest > 0;) {
      const int64_t index = rest % outer_[d].size;
      rest /= outer_[d].size;
      from += index * outer_[d].source;
      to += index * outer_[d].target;
    }
    if (mode_ == Mode::kTiles) {
      const int64_t row = unit % chunks * kRowsPerUnit;
      TransposeTile(from + row * unit_bytes_, col_.source, to + row * row_.target, row_.target,
                    std::min(kRowsPerUnit, row_.size - row), col_.size, unit_bytes_);
    } else {
      Move(from, to);
    }
  }
}

void CopyPlan::Run(const void* source, void* target, int threads) const {
  if (bytes_ == 0) return;
  const char* from = static_cast<const char*>(source) + source_offset_;
  char* to = static_cast<char*>(target) + target_offset_;
  const int64_t min_units = std::max<int64_t>(1, kMinBytesPerThread / (bytes_ / units_ + 1));
  ParallelRanges(threads, units_, min_units, 1,
                 [&](int64_t begin, int64_t end) { RunUnits(from, to, begin, end); });
}

std::string CopyPlan::description() const {
  if (bytes_ == 0) return "copy:nothing";
  const absl::string_view what = mode_ == Mode::kRuns    ? "runs"
                                 : mode_ == Mode::kTiles ? "tiles"
                                                         : "elements";
  return absl::StrCat("copy:", what, " of ", unit_bytes_, " bytes");
}

}  // namespace inferd::cpu
