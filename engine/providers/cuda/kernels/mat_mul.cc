#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/providers/cuda/blas_lt.h"
#include "engine/providers/cuda/converted_constant.h"
#include "engine/providers/cuda/elementwise_plan.h"
#include "engine/providers/cuda/node_checks.h"
#include "engine/providers/cuda/step_kernel.h"

// MatMul, Gemm and ScaledMatMul on cuBLASLt: a bias, a residual and a Relu at the front of the
// epilogue are part of the product.
namespace inferd::cuda {
namespace {

enum class Batching : uint8_t { kNone, kFlat, kStrided };

bool IsGemm(const Node& node) { return node.op->name == "Gemm"; }
bool IsScaled(const Node& node) { return node.op->name == "ScaledMatMul"; }

// A ScaledMatMul's inputs beside its matrices.
constexpr int kAScale = 2;
constexpr int kBScale = 3;

bool StoresTransposed(const Node& node) { return node.attributes.Int("transB", 0) != 0; }

bool AreOnes(const SymbolicShape& shape) {
  for (int d = 0; d < shape.rank() - 2; ++d) {
    if (!shape.dim(d).Is(1)) return false;
  }
  return true;
}

// One matrix for all rows, or as many of each; a mixture of both is for others.
Batching BatchingOf(const SymbolicShape& a, const SymbolicShape& b) {
  if (a.rank() < 2 || b.rank() < 2) return Batching::kNone;
  if (AreOnes(b) && a.rank() >= b.rank()) return Batching::kFlat;
  if (AreOnes(a) && a.rank() <= b.rank()) return Batching::kStrided;
  if (a.rank() != b.rank()) return Batching::kNone;
  for (int d = 0; d < a.rank() - 2; ++d) {
    if (!a.dim(d).SameAs(b.dim(d))) return Batching::kNone;
  }
  return Batching::kStrided;
}

bool HasNoElements(const SymbolicShape& shape) {
  for (const Dim& dim : shape.dims()) {
    if (dim.Is(0)) return true;
  }
  return false;
}

// The node with Gemm's C as the first step of its epilogue.
Node WithAddend(const Node& node) {
  Node with = node;
  if (!IsGemm(node) || !HasInput(node, 2) || node.attributes.Float("beta", 1) != 1) return with;
  EpilogueStep add;
  add.op = &OpRegistry::Builtin().Get("", "Add");
  add.operand = 2;
  with.epilogue.insert(with.epilogue.begin(), std::move(add));
  return with;
}

// beta * C with another beta than 0 and 1 is only for matrices.
bool TakesAddend(const Graph& graph, const Node& node) {
  if (!IsGemm(node) || !HasInput(node, 2)) return true;
  const float beta = node.attributes.Float("beta", 1);
  return beta == 1 || beta == 0 ||
         (ShapeOf(graph, node.inputs[2]).SameAs(ShapeOf(graph, node.outputs[0])) &&
          DTypeOf(graph, node.inputs[2]) == DTypeOf(graph, node.outputs[0]));
}

bool Supports(const Graph& graph, const Node& node) {
  if (!AllOperands(graph, node, IsFloatType, kMaxDims) || node.outputs.size() != 1) return false;
  const SymbolicShape& a = ShapeOf(graph, node.inputs[0]);
  const SymbolicShape& b = ShapeOf(graph, node.inputs[1]);
  const DType type = DTypeOf(graph, node.inputs[0]);
  const DType result = DTypeOf(graph, node.outputs[0]);
  if (!IsOrBecomes(graph, node.inputs[1], type)) return false;
  if (result != type && result != DType::kFloat32) return false;
  if (BatchingOf(a, b) == Batching::kNone || HasNoElements(a) || HasNoElements(b)) return false;
  return TakesAddend(graph, node) && ElementwisePlan::SupportsEpilogue(graph, WithAddend(node));
}

// In the depth and the columns of 8-bit floats the library wants whole units of these.
constexpr int64_t kFloat8Multiple = 16;

// It also wants each of B's columns to lie in one piece: as B is stored, or as its constant
// becomes.
bool SupportsScaled(const Graph& graph, const Node& node) {
  const auto takes = [](DType type) { return IsFloatType(type) || IsFloat8Type(type); };
  if (!AllOperands(graph, node, takes, kMaxDims)) return false;
  const SymbolicShape& a = ShapeOf(graph, node.inputs[0]);
  const SymbolicShape& b = ShapeOf(graph, node.inputs[1]);
  if (DTypeOf(graph, node.inputs[0]) == DType::kFloat8E5m2 &&
      DTypeOf(graph, node.inputs[1]) == DType::kFloat8E5m2) {
    return false;
  }
  if (!StoresTransposed(node) && graph.constant(node.inputs[1]) == nullptr) return false;
  if (BatchingOf(a, b) == Batching::kNone || HasNoElements(a) || HasNoElements(b)) return false;
  for (const int from_end : {1, 2}) {
    const Dim& dim = b.dim(b.rank() - from_end);
    if (!dim.known() || dim.value % kFloat8Multiple != 0) return false;
  }
  return ElementwisePlan::SupportsEpilogue(graph, node);
}

// Which of the step's inputs the product takes beside A and B; -1 for none.
struct Absorbed {
  int bias = -1;
  int residual = -1;
  size_t steps = 0;  // of the epilogue
};

// One value for each column.
bool IsRow(const Shape& shape, int64_t columns) {
  return shape.rank() > 0 && shape[shape.rank() - 1] == columns && shape.num_elements() == columns;
}

bool TakesBias(const ProductSpec& spec) {
  return !IsFloat8Type(spec.a_type) || spec.result_type != DType::kFloat32;
}

Absorbed Absorb(const Graph& graph, const Node& node, ProductSpec* spec) {
  Absorbed absorbed;
  const Shape output = BoundShape(graph, node.outputs[0]);
  for (const EpilogueStep& step : node.epilogue) {
    if (step.op->domain.empty() && step.op->name == "Relu") {
      spec->relu = true;
      ++absorbed.steps;
      return absorbed;
    }
    if (!step.op->domain.empty() || step.op->name != "Add" || step.operand < 0) return absorbed;
    const ValueId operand = node.inputs[step.operand];
    if (DTypeOf(graph, operand) != DTypeOf(graph, node.outputs[0])) return absorbed;
    const Shape shape = BoundShape(graph, operand);
    if (absorbed.bias < 0 && TakesBias(*spec) && IsRow(shape, spec->n) && spec->n > 1) {
      absorbed.bias = step.operand;
      spec->bias = true;
    } else if (spec->beta == 0 && shape == output) {
      absorbed.residual = step.operand;
      spec->beta = 1;
    } else {
      return absorbed;
    }
    ++absorbed.steps;
  }
  return absorbed;
}

ProductSpec Describe(const Graph& graph, const Node& node) {
  const Shape a = BoundShape(graph, node.inputs[0]);
  const Shape b = BoundShape(graph, node.inputs[1]);
  ProductSpec spec;
  spec.a_type = DTypeOf(graph, node.inputs[0]);
  spec.b_type = IsScaled(node) ? DTypeOf(graph, node.inputs[1]) : spec.a_type;
  spec.result_type = DTypeOf(graph, node.outputs[0]);
  spec.a_transposed = node.attributes.Int("transA", 0) != 0;
  spec.b_transposed = StoresTransposed(node);
  spec.alpha = node.attributes.Float("alpha", 1);
  const int a_last = a.rank() - 1;
  const int b_last = b.rank() - 1;
  spec.m = a[spec.a_transposed ? a_last : a_last - 1];
  spec.k = a[spec.a_transposed ? a_last - 1 : a_last];
  spec.n = b[spec.b_transposed ? b_last - 1 : b_last];
  if (BatchingOf(ShapeOf(graph, node.inputs[0]), ShapeOf(graph, node.inputs[1])) ==
      Batching::kFlat) {
    spec.m *= a.Product(0, a_last - 1);
    return spec;
  }
  const int64_t a_batch = a.Product(0, a_last - 1);
  spec.batch = b.Product(0, b_last - 1);
  spec.a_stride = a_batch == 1 ? 0 : spec.m * spec.k;
  spec.b_stride = spec.k * spec.n;
  spec.d_stride = spec.m * spec.n;
  return spec;
}

constexpr uint64_t kHoldsB = 1 << 1;

// The constant B in the form that the product reads; null where that is its own.
absl::StatusOr<std::shared_ptr<const void>> HeldWeights(const Graph& graph, const Node& node,
                                                        const CudaPrepareContext& context) {
  const ValueId b = node.inputs[1];
  if (IsScaled(node)) {
    if (StoresTransposed(node)) return nullptr;
    return TransposedConstant(*graph.constant(b), context);
  }
  const DType type = DTypeOf(graph, node.inputs[0]);
  if (DTypeOf(graph, b) == type) return nullptr;
  return ConvertedConstant(*graph.constant(b), type, context);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const CudaPrepareContext& context) {
  ProductSpec spec = Describe(graph, node);
  spec.tf32 = context.tf32;
  const bool scaled = IsScaled(node);
  spec.b_transposed |= scaled;
  const Node with_addend = WithAddend(node);
  const float beta = IsGemm(node) && HasInput(node, 2) ? node.attributes.Float("beta", 1) : 0;
  int residual = -1;
  if (beta != 0 && beta != 1) {
    spec.beta = beta;
    residual = 2;
  }
  ProductSpec fused = spec;
  Absorbed absorbed = Absorb(graph, with_addend, &fused);
  auto planned = context.blas->Plan(fused, context.rank);
  if (absorbed.steps > 0 && absl::IsUnimplemented(planned.status())) {
    absorbed = Absorbed();
    fused = spec;
    planned = context.blas->Plan(fused, context.rank);
  }
  RETURN_IF_ERROR(planned.status());
  if (absorbed.residual >= 0) residual = absorbed.residual;
  StepOptions options = {.epilogue_done = absorbed.steps,
                         .scratch_bytes = planned->workspace_bytes()};
  ASSIGN_OR_RETURN(const std::shared_ptr<const void> weights, HeldWeights(graph, node, context));
  if (weights != nullptr) options.held_inputs = kHoldsB;
  const int bias = absorbed.bias;
  const auto launch = [product = *planned, weights, scaled, residual, bias](const StepContext& step,
                                                                            CudaContext& cuda) {
    ProductOperands operands;
    operands.a = step.inputs[0]->raw();
    operands.b = weights != nullptr ? weights.get() : step.inputs[1]->raw();
    operands.d = step.outputs[0]->mutable_raw();
    operands.workspace = step.scratch;
    if (scaled) {
      operands.a_scale = step.inputs[kAScale]->raw();
      operands.b_scale = step.inputs[kBScale]->raw();
    }
    if (residual >= 0) operands.c = step.inputs[residual]->raw();
    if (bias >= 0) operands.bias = step.inputs[bias]->raw();
    return product.Run(operands, cuda);
  };
  std::string description = absl::StrCat("cublasLt", scaled ? " fp8" : "", bias >= 0 ? "+bias" : "",
                                         residual >= 0 ? "+residual" : "",
                                         fused.relu ? "+relu" : "", RankText(planned->rank()));
  return MakeStepKernel(graph, with_addend, std::move(description), launch, options);
}

constexpr CudaKernelDef kKernels[] = {
    {"", "MatMul", Supports, LayoutPreference::kRowMajor, Prepare, BlasLt::kMostAlgorithms},
    {"", "Gemm", Supports, LayoutPreference::kRowMajor, Prepare, BlasLt::kMostAlgorithms},
    {"inferd", "ScaledMatMul", SupportsScaled, LayoutPreference::kRowMajor, Prepare,
     BlasLt::kMostAlgorithms, 89},
};

}  // namespace

absl::Span<const CudaKernelDef> MatMulKernels() { return kKernels; }

}  // namespace inferd::cuda
