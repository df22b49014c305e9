#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// What Attention and QAttention of com.microsoft have in common: X [batch,rows,input size] times
// merged weights [input size, query, key and value columns] gives Q, K and V, whose heads lie side
// by side. past is [2,batch,heads,past rows,head size].

// At which inputs an operator has what both have; -1 for none. Immutable.
struct ProjectedInputs {
  int x = 0;
  int weights = 1;
  int bias = 2;
  int mask = 3;
  int past = 4;
  int added = 5;
};

struct ProjectedShape {
  Dim batch, rows, input_size;
  int64_t heads = 0;
  Dim q_columns;  // also of K
  Dim v_columns;
  Dim past;  // 0 without a past

  Dim columns() const { return q_columns + q_columns + v_columns; }
  Dim head_size() const { return q_columns.known() ? Dim(q_columns.value / heads) : Dim(); }
  SymbolicShape Output() const { return {batch, rows, v_columns}; }
  SymbolicShape Present() const { return {Dim(2), batch, Dim(heads), past + rows, head_size()}; }
};

// The shape rule: output 0 is [batch,rows,value columns] and output 1 the present, both of `dtype`.
absl::Status InferProjectedAttention(InferContext& context, const ProjectedInputs& inputs,
                                     DType dtype);

// INVALID_ARGUMENT naming what does not fit, UNIMPLEMENTED for caches shared with the caller.
absl::StatusOr<ProjectedShape> ResolveProjected(const KernelContext& context,
                                                const ProjectedInputs& inputs);

// RESOURCE_EXHAUSTED when the projection takes more than `limit_bytes`.
absl::Status CheckProjectionBytes(const ProjectedShape& shape, int64_t limit_bytes);

// Makes the outputs of `projected`, [batch*rows, columns] with the bias added. For float, Float16
// and Bfloat16.
template <typename T>
absl::Status RunProjectedAttention(KernelContext& context, const ProjectedInputs& inputs,
                                   const ProjectedShape& shape, const std::vector<T>& projected);

}  // namespace inferd
