#pragma once

#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// The shapes of a node's first kCount inputs, null where one is absent: what a shape rule and a
// kernel resolve their sizes from alike. Used by one thread at a time; lives no longer than the
// context.
template <int kCount>
class InputShapes {
 public:
  using Pointers = const SymbolicShape* const (&)[kCount];

  explicit InputShapes(const InferContext& context) {
    for (int i = 0; i < kCount; ++i) {
      if (context.has_input(i)) pointers_[i] = &context.shape(i);
    }
  }
  explicit InputShapes(const KernelContext& context) {
    for (int i = 0; i < kCount; ++i) {
      if (!context.has_input(i)) continue;
      shapes_[i] = context.input(i).shape();
      pointers_[i] = &shapes_[i];
    }
  }
  InputShapes(const InputShapes&) = delete;
  InputShapes& operator=(const InputShapes&) = delete;

  const SymbolicShape* operator[](int i) const { return pointers_[i]; }
  Pointers pointers() const { return pointers_; }

 private:
  SymbolicShape shapes_[kCount];
  const SymbolicShape* pointers_[kCount] = {};
};

}  // namespace inferd
