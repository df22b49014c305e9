#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/fingerprint.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/quantization.h"
#include "engine/plan/device_weights.h"
#include "engine/providers/cuda/blas_lt.h"
#include "engine/providers/cuda/elementwise_plan.h"
#include "engine/providers/cuda/launch/integer_product.h"
#include "engine/providers/cuda/node_checks.h"
#include "engine/providers/cuda/step_kernel.h"

// MatMulInteger, QLinearMatMul and MatMulIntegerToFloat of 8 bits by one constant matrix, on
// cuBLASLt's int8 product: what is unsigned is made signed by taking 128 off, and zero points come
// out of the sums afterwards.
namespace inferd::cuda {
namespace {

// Where an operator has its operands; -1 where it has no such.
struct Roles {
  int a, b, a_zero, b_zero, a_scale, b_scale, y_scale, y_zero, bias;
};

const Roles& RolesOf(const Node& node) {
  static constexpr Roles kInteger = {0, 1, 2, 3, -1, -1, -1, -1, -1};
  static constexpr Roles kReal = {0, 1, 4, 5, 2, 3, -1, -1, 6};
  static constexpr Roles kLinear = {0, 3, 2, 5, 1, 4, 6, 7, -1};
  if (node.op->name == "MatMulInteger") return kInteger;
  return node.op->name == "MatMulIntegerToFloat" ? kReal : kLinear;
}

// With more, sums could leave 32 bits before the zero points are taken out.
constexpr int64_t kMostDepth = 1 << 16;
// Of the columns and the depth, as the library asks for.
constexpr int64_t kMultiple = 4;

bool IsEight(DType dtype) { return dtype == DType::kInt8 || dtype == DType::kUint8; }

// Absent, or of one of these counts; those that are there have known shapes.
bool HasCount(const Graph& graph, const Node& node, int input, absl::Span<const int64_t> counts) {
  if (input < 0 || !HasInput(node, input)) return true;
  const SymbolicShape& shape = ShapeOf(graph, node.inputs[input]);
  if (!shape.IsConcrete()) return false;
  const int64_t count = shape.ToShape().num_elements();
  return std::find(counts.begin(), counts.end(), count) != counts.end();
}

// The scales' types and the counts of everything but A's zero points, which come in more forms.
bool TakesParameters(const Graph& graph, const Node& node, const Roles& roles, int64_t columns) {
  for (const int input : {roles.a_scale, roles.b_scale, roles.y_scale}) {
    if (input >= 0 &&
        (!HasInput(node, input) || !IsFloatType(DTypeOf(graph, node.inputs[input])))) {
      return false;
    }
  }
  if (roles.y_zero >= 0 && !HasInput(node, roles.y_zero)) return false;
  const SymbolicShape& a = ShapeOf(graph, node.inputs[roles.a]);
  const Dim rows = a.dim(a.rank() - 2);
  const int64_t each_row = rows.known() ? rows.value : 1;
  return HasCount(graph, node, roles.a_zero, {1, each_row}) &&
         HasCount(graph, node, roles.a_scale, {1, each_row}) &&
         HasCount(graph, node, roles.b_zero, {1, columns}) &&
         HasCount(graph, node, roles.b_scale, {1, columns}) &&
         HasCount(graph, node, roles.y_scale, {1}) && HasCount(graph, node, roles.y_zero, {1}) &&
         HasCount(graph, node, roles.bias, {columns});
}

bool Supports(const Graph& graph, const Node& node) {
  const Roles& roles = RolesOf(node);
  if (node.outputs.size() != 1 || !HasInput(node, roles.b)) return false;
  const Tensor* b = graph.constant(node.inputs[roles.b]);
  const DType output = DTypeOf(graph, node.outputs[0]);
  if (b == nullptr || b->rank() != 2 || !IsEight(b->dtype()) ||
      !IsEight(DTypeOf(graph, node.inputs[roles.a])) ||
      (output != DType::kInt32 && !IsEight(output) && !IsFloatType(output))) {
    return false;
  }
  if (!node.epilogue.empty() &&
      !(IsFloatType(output) && ElementwisePlan::SupportsEpilogue(graph, node))) {
    return false;
  }
  const int64_t depth = b->dim(0);
  const int64_t columns = b->dim(1);
  if (depth == 0 || columns == 0 || depth % kMultiple != 0 || columns % kMultiple != 0 ||
      depth > kMostDepth) {
    return false;
  }
  const SymbolicShape& a = ShapeOf(graph, node.inputs[roles.a]);
  if (!a.has_rank() || a.rank() < 2) return false;
  if (HasInput(node, roles.b_zero) && graph.constant(node.inputs[roles.b_zero]) == nullptr) {
    return false;
  }
  return TakesParameters(graph, node, roles, columns);
}

// The constant matrix as the library wants it, and what its zero points come to.
struct PackedMatrix {
  std::shared_ptr<const void> columns;  // int8 [n,k]
  std::shared_ptr<const void> terms;    // int32 zero points [n], then sums less k zero points [n]
  bool has_zeros = false;
};

int32_t ShiftOf(DType dtype) { return dtype == DType::kUint8 ? 128 : 0; }

int32_t Signed(const Tensor& matrix, int64_t i) {
  return matrix.dtype() == DType::kUint8 ? int32_t{matrix.data<uint8_t>()[i]} - 128
                                         : int32_t{matrix.data<int8_t>()[i]};
}

absl::StatusOr<PackedMatrix> Pack(const Tensor& b, const Tensor* zero_points,
                                  const CudaPrepareContext& context) {
  const int64_t k = b.dim(0);
  const int64_t n = b.dim(1);
  const int64_t given = zero_points == nullptr ? 1 : zero_points->num_elements();
  ASSIGN_OR_RETURN(const std::vector<int64_t> zeros, ReadZeroPoints(zero_points, given));
  const auto zero_of = [&](int64_t column) {
    return static_cast<int32_t>(zeros[column % given]) - ShiftOf(b.dtype());
  };
  PackedMatrix packed;
  for (int64_t j = 0; j < n; ++j) packed.has_zeros |= zero_of(j) != 0;
  const auto transpose = [&](void* to) {
    for (int64_t j = 0; j < n; ++j) {
      for (int64_t i = 0; i < k; ++i) {
        static_cast<int8_t*>(to)[j * k + i] = static_cast<int8_t>(Signed(b, i * n + j));
      }
    }
    return absl::OkStatus();
  };
  // Others may know the same bytes in another shape.
  const std::string shape = b.shape().ToString();
  ASSIGN_OR_RETURN(
      packed.columns,
      context.device_weights->GetOrPack(
          *context.device, b, absl::StrCat("columns of signed bytes ", shape), n * k, transpose));
  const auto sum = [&](void* to) {
    auto* terms = static_cast<int32_t*>(to);
    for (int64_t j = 0; j < n; ++j) {
      int64_t total = 0;
      for (int64_t i = 0; i < k; ++i) total += Signed(b, i * n + j);
      terms[j] = zero_of(j);
      terms[n + j] = static_cast<int32_t>(total - k * zero_of(j));
    }
    return absl::OkStatus();
  };
  const std::string key = absl::StrCat(
      "terms of zero points ", FingerprintOf(absl::StrJoin(zeros, ",")).ToHex(), " of ", shape);
  ASSIGN_OR_RETURN(packed.terms,
                   context.device_weights->GetOrPack(*context.device, b, key,
                                                     2 * n * int64_t{sizeof(int32_t)}, sum));
  return packed;
}

// Parts of the step's scratch; those that are not needed are empty.
struct Scratch {
  int64_t bytes = 0;
  int64_t Take(int64_t more) {
    const int64_t at = bytes;
    bytes += (more + kDeviceAlignment - 1) / kDeviceAlignment * kDeviceAlignment;
    return at;
  }
};

// The step without addresses. A value type.
class IntegerStep {
 public:
  IntegerStep(const Graph& graph, const Node& node, PackedMatrix matrix, const Product& product)
      : roles_(RolesOf(node)), matrix_(std::move(matrix)), product_(product) {
    const Shape a = BoundShape(graph, node.inputs[roles_.a]);
    const DType a_type = DTypeOf(graph, node.inputs[roles_.a]);
    rows_.length = a[a.rank() - 1];
    rows_.rows = a.Product(0, a.rank() - 1);
    shifts_ = a_type == DType::kUint8;
    result_.rows = rows_.rows;
    result_.columns = graph.constant(node.inputs[roles_.b])->dim(1);
    result_.a_unsigned = shifts_;
    result_.a_shift = ShiftOf(a_type);
    has_a_zero_ = HasInput(node, roles_.a_zero);
    if (has_a_zero_) result_.a_zeros = Count(graph, node, roles_.a_zero);
    has_bias_ = roles_.bias >= 0 && HasInput(node, roles_.bias);
    scales_ = roles_.a_scale >= 0;
    if (scales_) {
      result_.a_scale_type = *TypeOf(graph, node.inputs[roles_.a_scale]);
      result_.b_scale_type = *TypeOf(graph, node.inputs[roles_.b_scale]);
      result_.a_scales = Count(graph, node, roles_.a_scale);
      result_.b_scales = Count(graph, node, roles_.b_scale);
      result_.y_type = *TypeOf(graph, node.outputs[0]);
    }
    if (roles_.y_scale >= 0) result_.y_scale_type = *TypeOf(graph, node.inputs[roles_.y_scale]);
    if (shifts_) signed_at_ = scratch_.Take(rows_.rows * rows_.length);
    if (matrix_.has_zeros) row_sums_at_ = scratch_.Take(rows_.rows * int64_t{sizeof(int32_t)});
    if (scales_) {
      sums_at_ = scratch_.Take(result_.rows * result_.columns * int64_t{sizeof(int32_t)});
    }
    workspace_at_ = scratch_.Take(product_.workspace_bytes());
  }

  int64_t scratch_bytes() const { return scratch_.bytes; }

  absl::Status Launch(const StepContext& context, CudaContext& cuda) const {
    auto* scratch = static_cast<char*>(context.scratch);
    const auto data = [&](int input) { return context.inputs[input]->raw(); };
    IntegerRows rows = rows_;
    rows.from = data(roles_.a);
    if (shifts_) rows.to = reinterpret_cast<int8_t*>(scratch + signed_at_);
    if (matrix_.has_zeros) rows.sums = reinterpret_cast<int32_t*>(scratch + row_sums_at_);
    if (shifts_ || matrix_.has_zeros) LaunchIntegerRows(rows, cuda.stream());
    void* y = context.outputs[0]->mutable_raw();
    ProductOperands operands;
    operands.a = shifts_ ? rows.to : rows.from;
    operands.b = matrix_.columns.get();
    operands.d = scales_ ? scratch + sums_at_ : y;
    operands.workspace = scratch + workspace_at_;
    RETURN_IF_ERROR(product_.Run(operands, cuda));
    if (!scales_ && !shifts_ && !has_a_zero_ && !matrix_.has_zeros) return absl::OkStatus();
    IntegerResult result = result_;
    result.sums = static_cast<const int32_t*>(operands.d);
    result.row_sums = rows.sums;
    result.b_zeros = static_cast<const int32_t*>(matrix_.terms.get());
    result.b_terms = result.b_zeros + result_.columns;
    if (has_a_zero_) result.a_zero = data(roles_.a_zero);
    result.y = y;
    if (scales_) {
      result.a_scale = data(roles_.a_scale);
      result.b_scale = data(roles_.b_scale);
    }
    if (roles_.y_scale >= 0) {
      result.y_scale = data(roles_.y_scale);
      result.y_zero = data(roles_.y_zero);
    }
    if (has_bias_) result.bias = data(roles_.bias);
    LaunchIntegerResult(result, cuda.stream());
    return absl::OkStatus();
  }

 private:
  static int64_t Count(const Graph& graph, const Node& node, int input) {
    return BoundShape(graph, node.inputs[input]).num_elements();
  }

  Roles roles_;
  PackedMatrix matrix_;
  Product product_;
  IntegerRows rows_;
  IntegerResult result_;
  bool shifts_ = false;
  bool has_a_zero_ = false;
  bool has_bias_ = false;
  bool scales_ = false;
  Scratch scratch_;
  int64_t signed_at_ = 0;
  int64_t row_sums_at_ = 0;
  int64_t sums_at_ = 0;
  int64_t workspace_at_ = 0;
};

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const CudaPrepareContext& context) {
  const Roles& roles = RolesOf(node);
  const Shape a = BoundShape(graph, node.inputs[roles.a]);
  const Tensor& b = *graph.constant(node.inputs[roles.b]);
  const Tensor* zeros =
      HasInput(node, roles.b_zero) ? graph.constant(node.inputs[roles.b_zero]) : nullptr;
  ProductSpec spec;
  spec.m = a.Product(0, a.rank() - 1);
  spec.k = b.dim(0);
  spec.n = b.dim(1);
  if (spec.m == 0) return absl::UnimplementedError("a product of no rows");
  spec.a_type = DType::kInt8;
  spec.b_type = DType::kInt8;
  spec.result_type = DType::kInt32;
  spec.b_transposed = true;
  ASSIGN_OR_RETURN(const Product product, context.blas->Plan(spec, context.rank));
  ASSIGN_OR_RETURN(PackedMatrix matrix, Pack(b, zeros, context));
  const IntegerStep step(graph, node, std::move(matrix), product);
  const auto launch = [step](const StepContext& context, CudaContext& cuda) {
    return step.Launch(context, cuda);
  };
  return MakeStepKernel(graph, node, "cublasLt int8" + RankText(product.rank()), launch,
                        {.scratch_bytes = step.scratch_bytes(),
                         .held_inputs = uint64_t{1} << roles.b | uint64_t{1} << roles.b_zero});
}

constexpr CudaKernelDef kKernels[] = {
    {"", "MatMulInteger", Supports, LayoutPreference::kRowMajor, Prepare, BlasLt::kMostAlgorithms},
    {"", "QLinearMatMul", Supports, LayoutPreference::kRowMajor, Prepare, BlasLt::kMostAlgorithms},
    {"com.microsoft", "MatMulIntegerToFloat", Supports, LayoutPreference::kRowMajor, Prepare,
     BlasLt::kMostAlgorithms},
};

}  // namespace

absl::Span<const CudaKernelDef> IntegerMatMulKernels() { return kKernels; }

}  // namespace inferd::cuda
