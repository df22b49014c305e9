#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/core/tensor.h"

namespace inferd {

// Computes a constant from `inputs`, which are in memory, into `to`, which has the constant's
// bytes.
using ConstantRecipe = std::function<absl::Status(absl::Span<const Tensor> inputs, void* to)>;

// A constant computed from other constants. When it is large and every large input is recoverable,
// so is the result: the recipe runs when somebody reads it, again after it was released, maybe by
// several threads at once; else it runs now. `name` and the inputs' bytes say exactly what it
// computes: recipes that differ in any number must differ in name. What the recipe refers to must
// outlive the constant.
absl::StatusOr<Tensor> DeriveConstant(DType dtype, const Shape& shape, std::vector<Tensor> inputs,
                                      std::string name, ConstantRecipe recipe);

// DeriveConstant for a recipe that changes the elements of `constant` where they are: the bytes at
// `to` are those of `constant` when it is called, with only `others` as its inputs.
absl::StatusOr<Tensor> ChangeConstant(Tensor constant, std::vector<Tensor> others, std::string name,
                                      ConstantRecipe recipe);

// Names the bytes of a constant, also to another process with the same model file: by origin when
// it is recoverable, else by its contents.
std::string ConstantOrigin(const Tensor& constant);

}  // namespace inferd
