#include "engine/graph/derived_constant.h"

#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/fingerprint.h"
#include "engine/core/pages.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

// The tensor with its bytes in memory for now, which leaves the constant's own storage alone.
absl::StatusOr<Tensor> Loaded(const Tensor& tensor) {
  RecoverableBytes* bytes = tensor.recoverable();
  if (bytes == nullptr) return tensor;
  std::shared_ptr<void> copy = AllocateSmallPages(bytes->size());
  if (copy == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("out of memory for ", bytes->size(), " bytes"));
  }
  RETURN_IF_ERROR(bytes->CopyTo(copy.get()));
  const void* data = copy.get();
  return Tensor::View(tensor.dtype(), tensor.shape(), data, std::move(copy), tensor.layout());
}

absl::Status Compute(absl::Span<const Tensor> inputs, const ConstantRecipe& recipe, void* to) {
  std::vector<Tensor> loaded;
  for (const Tensor& input : inputs) {
    ASSIGN_OR_RETURN(Tensor tensor, Loaded(input));
    loaded.push_back(std::move(tensor));
  }
  return recipe(loaded, to);
}

// inputs[0] goes to where the result is to be, the recipe gets the others.
absl::Status Change(absl::Span<const Tensor> inputs, const ConstantRecipe& recipe, void* to) {
  const Tensor& changed = inputs[0];
  if (changed.recoverable() != nullptr) {
    RETURN_IF_ERROR(changed.recoverable()->CopyTo(to));
  } else if (changed.byte_size() > 0) {
    std::memcpy(to, changed.raw(), changed.byte_size());
  }
  return Compute(inputs.subspan(1), recipe, to);
}

// The set of the recoverable inputs; null when a large input is not, which the recipe would hold on
// to.
std::shared_ptr<RecoverySet> SetOf(const std::vector<Tensor>& inputs) {
  std::shared_ptr<RecoverySet> set;
  for (const Tensor& input : inputs) {
    if (input.recoverable() != nullptr) {
      set = input.recoverable()->set();
    } else if (input.dtype() == DType::kString ||
               input.byte_size() >= RecoverableBytes::kLeastBytes) {
      return nullptr;
    }
  }
  return set;
}

// How a recipe is run: Compute or Change.
using Evaluation = absl::Status (*)(absl::Span<const Tensor> inputs, const ConstantRecipe& recipe,
                                    void* to);

absl::StatusOr<Tensor> Derive(DType dtype, const Shape& shape, std::vector<Tensor> inputs,
                              absl::string_view name, ConstantRecipe recipe, Evaluation evaluate) {
  const int64_t bytes = shape.num_elements() * ElementBytes(dtype);
  std::shared_ptr<RecoverySet> set =
      dtype != DType::kString && bytes >= RecoverableBytes::kLeastBytes ? SetOf(inputs) : nullptr;
  if (set == nullptr) {
    ASSIGN_OR_RETURN(Tensor now, Tensor::Allocate(dtype, shape));
    RETURN_IF_ERROR(evaluate(inputs, recipe, now.mutable_raw()));
    return now;
  }
  std::string origin = absl::StrCat(name, " ", static_cast<int>(dtype), shape.ToString());
  for (const Tensor& input : inputs) {
    absl::StrAppend(&origin, "|", static_cast<int>(input.dtype()), input.shape().ToString(), " ",
                    ConstantOrigin(input));
  }
  ASSIGN_OR_RETURN(auto made, RecoverableBytes::Make(
                                  std::move(set), bytes, FingerprintOf(origin).ToHex(),
                                  [inputs = std::move(inputs), recipe = std::move(recipe),
                                   evaluate](void* to) { return evaluate(inputs, recipe, to); }));
  return Tensor::Recoverable(dtype, shape, std::move(made));
}

}  // namespace

absl::StatusOr<Tensor> DeriveConstant(DType dtype, const Shape& shape, std::vector<Tensor> inputs,
                                      std::string name, ConstantRecipe recipe) {
  return Derive(dtype, shape, std::move(inputs), name, std::move(recipe), Compute);
}

absl::StatusOr<Tensor> ChangeConstant(Tensor constant, std::vector<Tensor> others, std::string name,
                                      ConstantRecipe recipe) {
  const DType dtype = constant.dtype();
  const Shape shape = constant.shape();
  std::vector<Tensor> inputs = std::move(others);
  inputs.insert(inputs.begin(), std::move(constant));
  return Derive(dtype, shape, std::move(inputs), name, std::move(recipe), Change);
}

std::string ConstantOrigin(const Tensor& constant) {
  if (constant.recoverable() != nullptr) return constant.recoverable()->origin();
  return absl::StrCat("bytes ", FingerprintOf(constant.raw(), constant.byte_size()).ToHex());
}

}  // namespace inferd
