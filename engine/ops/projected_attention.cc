#include "engine/ops/projected_attention.h"

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/dim_check.h"
#include "engine/ops/masked_attention.h"

namespace inferd {
namespace {

// An absent input is null.
using ShapeOf = absl::Span<const SymbolicShape* const>;

absl::Status RefuseUnsupported(const Attributes& attributes) {
  for (const char* name : {"do_rotary", "past_present_share_buffer"}) {
    if (attributes.Int(name, 0) != 0) {
      return absl::UnimplementedError(
          absl::StrCat("attribute ", name, " is set, which is not supported"));
    }
  }
  return absl::OkStatus();
}

// Splits the weights' columns into those of Q, K and V.
absl::Status ReadColumns(const Attributes& attributes, const Dim& columns, ProjectedShape* shape) {
  const std::vector<int64_t>& sizes = attributes.Ints("qkv_hidden_sizes");
  if (!sizes.empty()) {
    constexpr int64_t kMost = int64_t{1} << 32;
    if (sizes.size() != 3 || sizes[0] != sizes[1] || sizes[0] < 1 || sizes[2] < 1 ||
        sizes[0] > kMost || sizes[2] > kMost) {
      return absl::InvalidArgumentError(
          absl::StrCat("attribute qkv_hidden_sizes is ", ToString(Attributes::Value(sizes)),
                       ", expected equal sizes of Q and K, then V's"));
    }
    shape->q_columns = sizes[0];
    shape->v_columns = sizes[2];
  } else if (columns.known()) {
    shape->q_columns = shape->v_columns = columns.value / 3;
  }
  if (columns.known() && columns.value != shape->columns().value) {
    return absl::InvalidArgumentError(
        absl::StrCat("the weights have ", columns.value, " columns, expected ",
                     sizes.empty() ? "a multiple of 3" : absl::StrCat(shape->columns().value)));
  }
  for (const Dim& size : {shape->q_columns, shape->v_columns}) {
    if (size.known() && size.value % shape->heads != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(shape->heads, " heads do not divide ", size.value, " columns"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ProjectedShape> Resolve(const Attributes& attributes, const ProjectedInputs& inputs,
                                       ShapeOf shapes) {
  const auto at = [&](int i) {
    return i >= 0 && i < static_cast<int>(shapes.size()) ? shapes[i] : nullptr;
  };
  RETURN_IF_ERROR(RefuseUnsupported(attributes));
  ProjectedShape shape;
  ASSIGN_OR_RETURN(shape.heads, HeadCount(attributes, "num_heads"));
  Dim columns;
  RETURN_IF_ERROR(
      MatchDims("input", *at(inputs.x), {&shape.batch, &shape.rows, &shape.input_size}));
  RETURN_IF_ERROR(MatchDims("weights", *at(inputs.weights), {&shape.input_size, &columns}));
  if (at(inputs.bias) != nullptr) {
    RETURN_IF_ERROR(MatchDims("bias", *at(inputs.bias), {&columns}));
  }
  RETURN_IF_ERROR(ReadColumns(attributes, columns, &shape));
  shape.past = 0;
  if (at(inputs.past) != nullptr) {
    shape.past = Dim::Unknown();
    Dim two = 2, heads = shape.heads, size = shape.head_size();
    RETURN_IF_ERROR(
        MatchDims("past", *at(inputs.past), {&two, &shape.batch, &heads, &shape.past, &size}));
  }
  if ((at(inputs.past) != nullptr) && shape.v_columns.known() && shape.q_columns.known() &&
      shape.v_columns.value != shape.q_columns.value) {
    return absl::InvalidArgumentError("a past needs heads of Q and V of one size");
  }
  const Dim keys = shape.past + shape.rows;
  if (at(inputs.mask) != nullptr) {
    RETURN_IF_ERROR(CheckKeyMask(*at(inputs.mask), shape.batch, shape.rows, keys));
  }
  if (at(inputs.added) != nullptr) {
    RETURN_IF_ERROR(CheckAddedBias(*at(inputs.added), shape.batch, shape.heads, shape.rows, keys));
  }
  return shape;
}

}  // namespace

absl::Status InferProjectedAttention(InferContext& context, const ProjectedInputs& inputs,
                                     DType dtype) {
  std::vector<const SymbolicShape*> shapes;
  for (int i = 0; i < context.num_inputs(); ++i) {
    shapes.push_back(context.has_input(i) ? &context.shape(i) : nullptr);
  }
  ASSIGN_OR_RETURN(const ProjectedShape shape, Resolve(context.attributes(), inputs, shapes));
  if (context.wants_output(1) && shape.v_columns.known() && shape.q_columns.known() &&
      shape.v_columns.value != shape.q_columns.value) {
    return absl::InvalidArgumentError("the present needs heads of Q and V of one size");
  }
  context.SetOutput(0, dtype, shape.Output());
  context.SetOutput(1, dtype, shape.Present());
  return absl::OkStatus();
}

absl::StatusOr<ProjectedShape> ResolveProjected(const KernelContext& context,
                                                const ProjectedInputs& inputs) {
  std::vector<SymbolicShape> shapes(context.num_inputs());
  std::vector<const SymbolicShape*> pointers(context.num_inputs(), nullptr);
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (!context.has_input(i)) continue;
    shapes[i] = context.input(i).shape();
    pointers[i] = &shapes[i];
  }
  return Resolve(context.attributes(), inputs, pointers);
}

absl::Status CheckProjectionBytes(const ProjectedShape& shape, int64_t limit_bytes) {
  const Shape projected({shape.batch.value, shape.rows.value, shape.columns().value});
  ASSIGN_OR_RETURN(const int64_t elements, projected.CheckedElements());
  if (elements <= limit_bytes / static_cast<int64_t>(sizeof(float))) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("the projection ", projected.ToString(),
                                                   " takes more than ", limit_bytes, " bytes"));
}

template <typename T>
absl::Status RunProjectedAttention(KernelContext& context, const ProjectedInputs& inputs,
                                   const ProjectedShape& shape, const std::vector<T>& projected) {
  const int64_t rows = shape.rows.value, columns = shape.columns().value;
  const auto tensor = [&](int i) {
    return i >= 0 && context.has_input(i) ? &context.input(i) : nullptr;
  };
  MaskedAttention<T> attention;
  attention.batch = shape.batch.value;
  attention.heads = shape.heads;
  attention.depth = shape.head_size().value;
  attention.width = shape.v_columns.value / shape.heads;
  const HeadLayout layout{rows * columns, attention.depth, columns};
  attention.q = {projected.data(), layout, rows};
  attention.k = {projected.data() + shape.q_columns.value, layout, rows};
  attention.v = {projected.data() + 2 * shape.q_columns.value,
                 {rows * columns, attention.width, columns},
                 rows};
  if (const Tensor* past = tensor(inputs.past)) {
    const HeadLayout past_layout =
        HeadLayout::HeadFirst(shape.heads, shape.past.value, attention.depth);
    const T* values = past->data<T>();
    attention.past_k = {values, past_layout, shape.past.value};
    attention.past_v = {values + past->num_elements() / 2, past_layout, shape.past.value};
  }
  attention.mask = tensor(inputs.mask);
  attention.added = tensor(inputs.added);
  ReadMaskedAttributes(context.attributes(), &attention);
  if (context.wants_output(0)) {
    ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DTypeOf<T>(), shape.Output().ToShape()));
    attention.y = y->mutable_data<T>();
  }
  if (context.wants_output(1)) {
    ASSIGN_OR_RETURN(Tensor * present, context.Output(1, DTypeOf<T>(), shape.Present().ToShape()));
    attention.present_k = present->mutable_data<T>();
    attention.present_v = attention.present_k + present->num_elements() / 2;
  }
  return RunMaskedAttention(attention, context.limit_bytes());
}

template absl::Status RunProjectedAttention(KernelContext&, const ProjectedInputs&,
                                            const ProjectedShape&, const std::vector<float>&);
template absl::Status RunProjectedAttention(KernelContext&, const ProjectedInputs&,
                                            const ProjectedShape&, const std::vector<Float16>&);
template absl::Status RunProjectedAttention(KernelContext&, const ProjectedInputs&,
                                            const ProjectedShape&, const std::vector<Bfloat16>&);

}  // namespace inferd
