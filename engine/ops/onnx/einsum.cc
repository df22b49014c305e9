#include <type_traits>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/arithmetic.h"
#include "engine/ops/einsum_equation.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/op_def.h"
#include "engine/ops/strided_copy.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  std::vector<int> ranks;
  std::vector<SymbolicShape> shapes;
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (!context.has_input(i)) return absl::InvalidArgumentError("an input is absent");
    if (!context.shape(i).has_rank()) {
      context.SetOutput(0, context.dtype(0), SymbolicShape());
      return absl::OkStatus();
    }
    ranks.push_back(context.shape(i).rank());
    shapes.push_back(context.shape(i));
  }
  ASSIGN_OR_RETURN(const EinsumEquation equation,
                   EinsumEquation::Parse(context.attributes().String("equation", ""), ranks));
  ASSIGN_OR_RETURN(std::vector<Dim> sizes, equation.LabelSizes(shapes));
  sizes.resize(equation.output.size());
  context.SetOutput(0, context.dtype(0), SymbolicShape(std::move(sizes)));
  return absl::OkStatus();
}

// How far operand `x` moves when each label advances by one; a label may occur twice (a diagonal).
Shape::Dims LabelStrides(const Tensor& x, const std::vector<int>& labels, int num_labels) {
  Shape::Dims result(num_labels, 0);
  const Shape::Dims strides = x.shape().RowMajorStrides();
  for (int d = 0; d < x.rank(); ++d) {
    if (x.dim(d) != 1) result[labels[d]] += strides[d];
  }
  return result;
}

// The loops over one group of labels: where each operand stands.
std::vector<StridedWalk> Walks(const std::vector<Shape::Dims>& strides, const Shape& sizes,
                               int begin, int end) {
  std::vector<StridedWalk> walks;
  for (const Shape::Dims& all : strides) {
    walks.emplace_back(sizes.dims().subspan(begin, end - begin),
                       absl::MakeConstSpan(all).subspan(begin, end - begin));
  }
  return walks;
}

template <typename T>
void SumProducts(const std::vector<const T*>& operands, std::vector<StridedWalk> outer,
                 std::vector<StridedWalk> inner, int64_t terms, Tensor* y) {
  using Wide = std::conditional_t<std::is_integral_v<T>, T, double>;
  const int64_t outputs = y->num_elements();
  for (int64_t i = 0; i < outputs; ++i) {
    Wide total = 0;
    for (int64_t j = 0; j < terms; ++j) {
      Wide product = 1;
      for (size_t k = 0; k < operands.size(); ++k) {
        const T& x = operands[k][outer[k].offset() + inner[k].offset()];
        product = WrappingMultiply(product, static_cast<Wide>(x));
        inner[k].Next();
      }
      total = WrappingAdd(total, product);
    }
    y->mutable_data<T>()[i] = static_cast<T>(total);
    for (StridedWalk& walk : outer) walk.Next();
  }
}

absl::Status Compute(KernelContext& context) {
  RETURN_IF_ERROR(CheckOneType(context));
  std::vector<int> ranks;
  std::vector<SymbolicShape> shapes;
  for (int i = 0; i < context.num_inputs(); ++i) {
    ranks.push_back(context.input(i).rank());
    shapes.push_back(context.input(i).shape());
  }
  ASSIGN_OR_RETURN(const EinsumEquation equation,
                   EinsumEquation::Parse(context.attributes().String("equation", ""), ranks));
  ASSIGN_OR_RETURN(const std::vector<Dim> sizes, equation.LabelSizes(shapes));
  const Shape labels = SymbolicShape(sizes).ToShape();
  const int kept = static_cast<int>(equation.output.size());
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, context.input(0).dtype(),
                                              Shape(labels.dims().subspan(0, kept))));
  std::vector<Shape::Dims> strides;
  for (int i = 0; i < context.num_inputs(); ++i) {
    strides.push_back(LabelStrides(context.input(i), equation.operands[i], equation.num_labels));
  }
  return DispatchNumeric(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::vector<const T*> operands;
    for (int i = 0; i < context.num_inputs(); ++i) operands.push_back(context.input(i).data<T>());
    SumProducts(operands, Walks(strides, labels, 0, kept),
                Walks(strides, labels, kept, equation.num_labels),
                labels.Product(kept, equation.num_labels), y);
    return absl::OkStatus();
  });
}

}  // namespace

OpDef Einsum() {
  return {.name = "Einsum",
          .since = 28,
          .min_inputs = 1,
          .max_inputs = kVariadic,
          .attributes = {{"equation", AttributeKind::kString, true}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
