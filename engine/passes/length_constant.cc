#include "engine/passes/length_constant.h"

#include <cstring>

#include "absl/status/statusor.h"

namespace inferd {
namespace {

// A tensor as [outer][size][inner bytes] around one axis.
struct Blocks {
  Blocks(const Tensor& tensor, int axis)
      : outer(tensor.shape().Product(0, axis)),
        size(tensor.dim(axis)),
        inner(tensor.shape().Product(axis + 1, tensor.rank()) * ElementBytes(tensor.dtype())),
        data(static_cast<const char*>(tensor.raw())) {}
  const char* At(int64_t o, int64_t i) const { return data + (o * size + i) * inner; }

  int64_t outer;
  int64_t size;
  int64_t inner;
  const char* data;
};

bool IsUniform(const Tensor& tensor, int axis) {
  const Blocks blocks(tensor, axis);
  for (int64_t o = 0; o < blocks.outer; ++o) {
    for (int64_t i = 1; i < blocks.size; ++i) {
      if (std::memcmp(blocks.At(o, i), blocks.At(o, 0), blocks.inner) != 0) return false;
    }
  }
  return true;
}

absl::StatusOr<Tensor> FirstAlong(const Tensor& tensor, int axis) {
  Shape shape = tensor.shape();
  shape[axis] = 1;
  absl::StatusOr<Tensor> first = Tensor::Allocate(tensor.dtype(), shape);
  if (!first.ok()) return first;
  const Blocks blocks(tensor, axis);
  for (int64_t o = 0; o < blocks.outer; ++o) {
    std::memcpy(static_cast<char*>(first->mutable_raw()) + o * blocks.inner, blocks.At(o, 0),
                blocks.inner);
  }
  return first;
}

bool IsPrefix(const Tensor& prefix, const Tensor& whole, int axis) {
  const Blocks a(prefix, axis);
  const Blocks b(whole, axis);
  for (int64_t o = 0; o < a.outer; ++o) {
    if (std::memcmp(a.At(o, 0), b.At(o, 0), a.size * a.inner) != 0) return false;
  }
  return true;
}

bool Counts(const Tensor& tensor, int axis) {
  if (tensor.num_elements() != tensor.dim(axis)) return false;
  const auto values = tensor.ToInt64s();
  if (!values.ok()) return false;
  for (size_t i = 0; i < values->size(); ++i) {
    if ((*values)[i] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

bool SameBytes(const Tensor& a, const Tensor& b) {
  return a.address() == b.address() || std::memcmp(a.raw(), b.raw(), a.byte_size()) == 0;
}

bool IsPlain(const Tensor& tensor) {
  return tensor.kind() == ValueKind::kTensor && tensor.dtype() != DType::kString &&
         tensor.layout() == Layout::kRowMajor;
}

}  // namespace

std::optional<LengthConstant> CompareLengths(const Tensor& at_shorter, const Tensor& at_longer,
                                             int64_t shorter, int64_t longer) {
  LengthConstant result;
  result.value = at_longer;
  if (!IsPlain(at_shorter) || !IsPlain(at_longer)) {
    // Strings and objects: only what is one and the same object.
    if (at_shorter.address() != at_longer.address() || at_longer.address() == nullptr) {
      return std::nullopt;
    }
    return result;
  }
  if (at_shorter.dtype() != at_longer.dtype() || at_shorter.rank() != at_longer.rank()) {
    return std::nullopt;
  }
  Tensor small = at_shorter;
  for (int axis = 0; axis < small.rank(); ++axis) {
    if (small.dim(axis) == at_longer.dim(axis)) continue;
    if (small.dim(axis) != shorter || at_longer.dim(axis) != longer) return std::nullopt;
    if (IsUniform(small, axis) && IsUniform(result.value, axis)) {
      absl::StatusOr<Tensor> first_small = FirstAlong(small, axis);
      absl::StatusOr<Tensor> first = FirstAlong(result.value, axis);
      if (!first_small.ok() || !first.ok()) return std::nullopt;
      small = *std::move(first_small);
      result.value = *std::move(first);
      result.uniform |= 1u << axis;
      continue;
    }
    if (result.axis >= 0) return std::nullopt;
    result.axis = axis;
  }
  if (result.axis >= 0) {
    if (!IsPrefix(small, result.value, result.axis)) return std::nullopt;
    result.kind = LengthConstant::Kind::kPerPosition;
    result.counts = Counts(result.value, result.axis);
  } else if (!SameBytes(small, result.value)) {
    if (result.uniform != 0) return std::nullopt;
    result.kind = LengthConstant::Kind::kNumbers;
  }
  return result;
}

}  // namespace inferd
