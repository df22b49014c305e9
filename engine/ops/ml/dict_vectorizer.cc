#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::ml {
namespace {

absl::Status CheckMap(bool is_map) {
  if (is_map) return absl::OkStatus();
  return absl::InvalidArgumentError("X is no map");
}

absl::Status Infer(InferContext& context) {
  const ValueType& x = context.input_type(0);
  RETURN_IF_ERROR(CheckMap(x.kind == ValueKind::kMap && x.element != nullptr));
  const size_t size = std::max(context.attributes().Ints("int64_vocabulary").size(),
                               context.attributes().Strings("string_vocabulary").size());
  context.SetOutput(0, x.element->dtype, SymbolicShape({Dim(1), Dim(static_cast<int64_t>(size))}));
  return absl::OkStatus();
}

template <typename Key, typename Value>
absl::Status Vectorize(KernelContext& context, const std::vector<Key>& vocabulary) {
  const std::vector<Tensor>& parts = context.input(0).elements();
  if (parts.size() != 2 || parts[0].dtype() != DTypeOf<Key>() ||
      parts[0].num_elements() != parts[1].num_elements()) {
    return absl::InvalidArgumentError("the keys of map X do not fit the vocabulary");
  }
  absl::flat_hash_map<Key, int64_t> positions;
  for (int64_t i = 0; i < parts[0].num_elements(); ++i) positions[parts[0].data<Key>()[i]] = i;
  const int64_t count = static_cast<int64_t>(vocabulary.size());
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, parts[1].dtype(), Shape({1, count})));
  for (int64_t i = 0; i < count; ++i) {
    const auto found = positions.find(vocabulary[i]);
    y->mutable_data<Value>()[i] =
        found == positions.end() ? Value() : parts[1].data<Value>()[found->second];
  }
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  RETURN_IF_ERROR(CheckMap(x.kind() == ValueKind::kMap));
  const std::vector<std::string>& strings = context.attributes().Strings("string_vocabulary");
  const std::vector<int64_t>& ints = context.attributes().Ints("int64_vocabulary");
  return DispatchTypes<std::string, int64_t, float, double>(x.elements()[1].dtype(), [&](auto tag) {
    using Value = typename decltype(tag)::type;
    return strings.empty() ? Vectorize<int64_t, Value>(context, ints)
                           : Vectorize<std::string, Value>(context, strings);
  });
}

}  // namespace

OpDef DictVectorizer() {
  return {.domain = "ai.onnx.ml",
          .name = "DictVectorizer",
          .since = 1,
          .attributes = {{"int64_vocabulary", AttributeKind::kInts},
                         {"string_vocabulary", AttributeKind::kStrings}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
