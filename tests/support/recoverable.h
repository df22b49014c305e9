#pragma once

#include <cstring>
#include <memory>
#include <string>

#include "engine/core/recoverable_bytes.h"
#include "engine/core/tensor.h"

namespace inferd::testing {

// A constant with the elements of `plain` that `set` has read again and again, as from a file.
// Equal origins must mean equal elements.
inline Tensor Recoverable(const std::shared_ptr<RecoverySet>& set, const Tensor& plain,
                          const std::string& origin = "test") {
  auto bytes = RecoverableBytes::Make(set, plain.byte_size(), origin, [plain](void* to) {
    std::memcpy(to, plain.raw(), plain.byte_size());
    return absl::OkStatus();
  });
  return Tensor::Recoverable(plain.dtype(), plain.shape(), *std::move(bytes));
}

}  // namespace inferd::testing
