#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::ml {
namespace {

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 0, {DType::kString, DType::kInt64}));
  const Attributes& attributes = context.attributes();
  const size_t ints = attributes.Ints("cats_int64s").size();
  const size_t strings = attributes.Strings("cats_strings").size();
  if (ints != strings) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute cats_int64s has ", ints, " values, cats_strings has ", strings));
  }
  const bool from_string = context.dtype(0) == DType::kString;
  context.SetOutput(0, from_string ? DType::kInt64 : DType::kString, context.shape(0));
  return absl::OkStatus();
}

template <typename From, typename To>
absl::Status Map(KernelContext& context, const std::vector<From>& keys,
                 const std::vector<To>& values, const To& missing) {
  const Tensor& x = context.input(0);
  if (keys.size() != values.size()) {
    return absl::InvalidArgumentError("cats_int64s and cats_strings have different lengths");
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DTypeOf<To>(), x.shape()));
  absl::flat_hash_map<From, int64_t> positions;
  for (size_t i = 0; i < keys.size(); ++i) positions[keys[i]] = i;
  for (int64_t i = 0; i < x.num_elements(); ++i) {
    const auto found = positions.find(x.data<From>()[i]);
    y->mutable_data<To>()[i] = found == positions.end() ? missing : values[found->second];
  }
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Attributes& attributes = context.attributes();
  const std::vector<int64_t>& ints = attributes.Ints("cats_int64s");
  const std::vector<std::string>& strings = attributes.Strings("cats_strings");
  if (context.input(0).dtype() == DType::kString) {
    return Map<std::string, int64_t>(context, strings, ints, attributes.Int("default_int64", -1));
  }
  return Map<int64_t, std::string>(context, ints, strings,
                                   attributes.String("default_string", "_Unused"));
}

}  // namespace

OpDef CategoryMapper() {
  return {.domain = "ai.onnx.ml",
          .name = "CategoryMapper",
          .since = 1,
          .attributes = {{"cats_int64s", AttributeKind::kInts},
                         {"cats_strings", AttributeKind::kStrings},
                         {"default_int64", AttributeKind::kInt},
                         {"default_string", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
