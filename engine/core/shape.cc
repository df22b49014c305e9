#include "engine/core/shape.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace inferd {
namespace {
constexpr int64_t kMaxElements = int64_t{1} << 48;
// Kernels may walk the other dimensions of an empty tensor.
constexpr int64_t kMaxEmptyElements = int64_t{1} << 31;
}  // namespace

int64_t Shape::num_elements() const { return Product(0, rank()); }

int64_t Shape::Product(int begin, int end) const {
  int64_t product = 1;
  for (int i = begin; i < end; ++i) product *= dims_[i];
  return product;
}

absl::StatusOr<int64_t> Shape::CheckedElements() const {
  int64_t product = 1;
  bool empty = false;
  for (int64_t dim : dims_) {
    if (dim < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape ", ToString(), " has a negative dimension"));
    }
    if (dim == 0) {
      empty = true;
      continue;
    }
    if (product > kMaxElements / dim) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape ", ToString(), " has more than 2^48 elements"));
    }
    product *= dim;
  }
  if (empty && product > kMaxEmptyElements) {
    return absl::InvalidArgumentError(absl::StrCat(
        "shape ", ToString(), " has more than 2^31 elements beside its dimensions of 0"));
  }
  return empty ? 0 : product;
}

Shape::Dims Shape::RowMajorStrides() const {
  Dims strides(dims_.size(), 1);
  for (int i = rank() - 2; i >= 0; --i) strides[i] = strides[i + 1] * dims_[i + 1];
  return strides;
}

std::string Shape::ToString() const { return absl::StrCat("[", absl::StrJoin(dims_, ","), "]"); }

Dim operator+(const Dim& a, const Dim& b) {
  if (a.Is(0)) return b;
  if (b.Is(0)) return a;
  return a.known() && b.known() ? Dim(a.value + b.value) : Dim::Unknown();
}

Dim operator-(const Dim& a, const Dim& b) {
  if (b.Is(0)) return a;
  return a.known() && b.known() && a.value >= b.value ? Dim(a.value - b.value) : Dim::Unknown();
}

Dim operator*(const Dim& a, const Dim& b) {
  if (a.Is(1)) return b;
  if (b.Is(1)) return a;
  if (a.Is(0) || b.Is(0)) return Dim(0);
  if (!a.known() || !b.known()) return Dim::Unknown();
  int64_t product = 0;
  if (__builtin_mul_overflow(a.value, b.value, &product)) return Dim::Unknown();
  return Dim(product);
}

SymbolicShape::SymbolicShape(const Shape& shape) : has_rank_(true) {
  dims_.assign(shape.dims().begin(), shape.dims().end());
}

bool SymbolicShape::IsConcrete() const {
  if (!has_rank_) return false;
  for (const Dim& dim : dims_) {
    if (!dim.known()) return false;
  }
  return true;
}

Shape SymbolicShape::ToShape() const {
  Shape shape;
  for (const Dim& dim : dims_) shape.push_back(dim.value);
  return shape;
}

bool SymbolicShape::SameAs(const SymbolicShape& other) const {
  if (!has_rank_ || rank() != other.rank()) return false;
  for (int i = 0; i < rank(); ++i) {
    if (!dims_[i].SameAs(other.dims_[i])) return false;
  }
  return true;
}

Dim SymbolicShape::Product(int begin, int end) const {
  Dim product = 1;
  for (int i = begin; i < end; ++i) product = product * dims_[i];
  return product;
}

std::string SymbolicShape::ToString() const {
  if (!has_rank_) return "[...]";
  return absl::StrCat("[",
                      absl::StrJoin(dims_, ",",
                                    [](std::string* out, const Dim& dim) {
                                      if (dim.known()) {
                                        absl::StrAppend(out, dim.value);
                                      } else if (dim.symbol >= 0) {
                                        absl::StrAppend(out, "s", dim.symbol);
                                      } else {
                                        absl::StrAppend(out, "?");
                                      }
                                    }),
                      "]");
}

}  // namespace inferd
