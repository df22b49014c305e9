#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/scatter.h"
#include "engine/ops/tuple_index.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

absl::Status CheckUpdates(const Tensor& updates, const Shape& indices, const Tensor& data) {
  const int last = indices.rank() - 1;
  Shape expected(indices.dims().subspan(0, last));
  for (int64_t dim : data.shape().dims().subspan(indices[last])) expected.push_back(dim);
  if (updates.shape() == expected && updates.dtype() == data.dtype()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("updates are ", updates.TypeString(),
                                                 ", expected ", DTypeName(data.dtype()),
                                                 expected.ToString()));
}

absl::Status Compute(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Tensor& updates = context.input(2);
  ASSIGN_OR_RETURN(const ScatterReduction reduction, ParseScatterReduction(context.attributes()));
  ASSIGN_OR_RETURN(const TupleOffsets tuples, ReadTuples(context.input(1), data.shape(), 0));
  RETURN_IF_ERROR(CheckUpdates(updates, context.input(1).shape(), data));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, data.dtype(), data.shape()));
  CopyElements(data, 0, y, 0, data.num_elements());
  if (updates.num_elements() == 0) return absl::OkStatus();
  if (reduction == ScatterReduction::kNone) {
    for (size_t i = 0; i < tuples.offsets.size(); ++i) {
      CopyElements(updates, i * tuples.block, y, tuples.offsets[i], tuples.block);
    }
    return absl::OkStatus();
  }
  return WithScatterFunction(data.dtype(), reduction, [&](auto tag, auto fn) {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < tuples.offsets.size(); ++i) {
      T* out = y->mutable_data<T>() + tuples.offsets[i];
      const T* in = updates.data<T>() + i * tuples.block;
      for (int64_t j = 0; j < tuples.block; ++j) out[j] = fn(out[j], in[j]);
    }
  });
}

}  // namespace

OpDef ScatterNd() {
  return {.name = "ScatterND",
          .since = 18,
          .min_inputs = 3,
          .max_inputs = 3,
          .attributes = {{"reduction", AttributeKind::kString}},
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
