#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace inferd {

// The dimensions of a concrete tensor, outermost first; every dimension >= 0. Rank 0 is a scalar.
// A value type; used by one thread at a time.
class Shape {
 public:
  using Dims = absl::InlinedVector<int64_t, 6>;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : dims_(dims) {}
  explicit Shape(absl::Span<const int64_t> dims) : dims_(dims.begin(), dims.end()) {}

  int rank() const { return static_cast<int>(dims_.size()); }
  int64_t dim(int i) const { return dims_[i]; }
  int64_t operator[](int i) const { return dims_[i]; }
  int64_t& operator[](int i) { return dims_[i]; }
  void push_back(int64_t dim) { dims_.push_back(dim); }
  void insert(int at, int64_t dim) { dims_.insert(dims_.begin() + at, dim); }
  void erase(int at) { dims_.erase(dims_.begin() + at); }
  absl::Span<const int64_t> dims() const { return dims_; }

  // Product of all dimensions. Exact only for a shape that passed CheckedElements.
  int64_t num_elements() const;
  // Product of the dimensions [begin, end).
  int64_t Product(int begin, int end) const;
  // Product of all dimensions, or INVALID_ARGUMENT for a negative dimension or on overflow
  // (limit 2^48 elements, so that byte counts cannot overflow either).
  absl::StatusOr<int64_t> CheckedElements() const;

  // Row-major strides in elements.
  Dims RowMajorStrides() const;

  // "[1,3,224,224]".
  std::string ToString() const;

  friend bool operator==(const Shape& a, const Shape& b) { return a.dims_ == b.dims_; }
  friend bool operator!=(const Shape& a, const Shape& b) { return !(a == b); }
  template <typename H>
  friend H AbslHashValue(H h, const Shape& shape) {
    return H::combine(std::move(h), shape.dims_);
  }

 private:
  Dims dims_;
};

// A dimension while compiling: a known size, a named symbol (equal ids mean equal sizes), or
// unknown. Arithmetic keeps known sizes and gives unknown otherwise.
struct Dim {
  int64_t value = -1;   // >= 0 when known
  int32_t symbol = -1;  // >= 0 when symbolic

  Dim() = default;
  Dim(int64_t known) : value(known) {}  // NOLINT: sizes read as dimensions
  static Dim Symbol(int32_t id) {
    Dim dim;
    dim.symbol = id;
    return dim;
  }
  static Dim Unknown() { return Dim(); }

  bool known() const { return value >= 0; }
  bool Is(int64_t size) const { return value == size && size >= 0; }
  // True only when both are provably the same size.
  bool SameAs(const Dim& other) const {
    return known() ? value == other.value : symbol >= 0 && symbol == other.symbol;
  }
};

Dim operator+(const Dim& a, const Dim& b);
Dim operator-(const Dim& a, const Dim& b);
Dim operator*(const Dim& a, const Dim& b);

// A shape while compiling: unknown rank, or dimensions each known, symbolic or unknown.
class SymbolicShape {
 public:
  SymbolicShape() = default;  // unknown rank
  SymbolicShape(std::initializer_list<Dim> dims) : has_rank_(true), dims_(dims) {}
  explicit SymbolicShape(std::vector<Dim> dims) : has_rank_(true), dims_(std::move(dims)) {}
  SymbolicShape(const Shape& shape);  // NOLINT: every concrete shape is a symbolic one
  static SymbolicShape UnknownRank() { return SymbolicShape(); }
  static SymbolicShape OfRank(int rank) { return SymbolicShape(std::vector<Dim>(rank)); }
  static SymbolicShape Scalar() { return SymbolicShape(std::vector<Dim>()); }

  bool has_rank() const { return has_rank_; }
  int rank() const { return has_rank_ ? static_cast<int>(dims_.size()) : -1; }
  const Dim& dim(int i) const { return dims_[i]; }
  Dim& operator[](int i) { return dims_[i]; }
  const Dim& operator[](int i) const { return dims_[i]; }
  const std::vector<Dim>& dims() const { return dims_; }
  std::vector<Dim>& mutable_dims() { return dims_; }

  // True when rank and every dimension are known.
  bool IsConcrete() const;
  // The concrete shape; requires IsConcrete().
  Shape ToShape() const;
  // True only when both have a rank and are provably equal, dimension by dimension.
  bool SameAs(const SymbolicShape& other) const;
  // Product of [begin, end) as a dimension.
  Dim Product(int begin, int end) const;
  // "[batch?,3,?]": symbols print as "sN", unknown as "?"; unknown rank as "[...]".
  std::string ToString() const;

 private:
  bool has_rank_ = false;
  std::vector<Dim> dims_;
};

}  // namespace inferd
