#include "tests/engine/providers/cpu/provider_case.h"

#include <cmath>
#include <cstring>

#include "absl/strings/match.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/op_registry.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/cpu_provider.h"
#include "engine/providers/portable/portable_kernel.h"
#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

// Winograd's.
constexpr double kCandidateTolerance = 1e-5;
constexpr int64_t kLimitBytes = int64_t{1} << 30;

const OpDef* FindOp(const std::string& name) {
  const OpDef* op = OpRegistry::Builtin().Find("", name);
  return op != nullptr ? op : OpRegistry::Builtin().Find("inferd", name);
}

struct RunBuffers {
  std::vector<const Tensor*> inputs;
  std::vector<Tensor*> outputs;
  std::vector<std::byte> scratch;
};

absl::Status RunKernel(const BoundKernel& kernel, const std::vector<Tensor>& operands,
                       Tensor* output) {
  RunBuffers buffers;
  for (const Tensor& operand : operands) {
    buffers.inputs.push_back(operand.has_data() ? &operand : nullptr);
  }
  buffers.outputs = {output};
  buffers.scratch.resize(kernel.scratch_bytes() + 64);
  StepContext context;
  context.inputs = buffers.inputs;
  context.outputs = buffers.outputs;
  context.scratch =
      reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(buffers.scratch.data()) + 63) / 64 * 64);
  return kernel.Run(context);
}

double LargestMagnitude(const Tensor& tensor) {
  double largest = 0;
  for (float value : tensor.values<float>()) largest = std::max<double>(largest, std::abs(value));
  return largest;
}

double LargestDifference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (int64_t i = 0; i < a.num_elements(); ++i) {
    const double difference = std::abs(double{a.data<float>()[i]} - b.data<float>()[i]);
    largest = std::isnan(difference) ? INFINITY : std::max(largest, difference);
  }
  return largest;
}

// The tensor's rows `step` elements apart, with bytes `fill` between them.
std::vector<std::byte> SpreadRows(const Tensor& tensor, int64_t row, int64_t step, std::byte fill) {
  const int64_t bytes = ElementBytes(tensor.dtype());
  const int64_t rows = tensor.num_elements() / row;
  std::vector<std::byte> spread(rows * step * bytes, fill);
  const auto* from = static_cast<const std::byte*>(tensor.raw());
  for (int64_t r = 0; r < rows; ++r) {
    std::copy_n(from + r * row * bytes, row * bytes, spread.data() + r * step * bytes);
  }
  return spread;
}

// With rows of `in` elements of input 0 apart, unless 0, and of `out` of output 0, the kernel gives
// the very bytes that it gave with `dense` and writes nothing between them.
absl::Status ExpectSameApart(const BoundKernel& kernel, const StepContext& dense, int64_t in,
                             int64_t out) {
  StepContext step = dense;
  std::vector<const Tensor*> inputs(dense.inputs.begin(), dense.inputs.end());
  Tensor x = *dense.inputs[0];
  Tensor y = *dense.outputs[0];
  std::vector<std::byte> spread;
  if (in > 0) {
    step.input_step = in + 3;
    spread = SpreadRows(x, in, step.input_step, std::byte{0xFF});  // not numbers
    x.Rebind(spread.data());
    inputs[0] = &x;
  }
  const int64_t row = out > 0 ? out : y.num_elements();
  if (out > 0) step.output_step = out + 5;
  const std::vector<std::byte> expected =
      SpreadRows(y, row, out > 0 ? step.output_step : row, std::byte{0x77});
  std::vector<std::byte> got(expected.size(), std::byte{0x77});
  y.Rebind(got.data());
  Tensor* const outputs[] = {&y};
  step.inputs = inputs;
  step.outputs = outputs;
  RETURN_IF_ERROR(kernel.Run(step));
  EXPECT_TRUE(got == expected) << kernel.description() << ", rows apart: " << in << ", " << out;
  return absl::OkStatus();
}

// In every combination that the kernel takes.
absl::Status ExpectSameWithRowsApart(const BoundKernel& kernel, const StepContext& dense) {
  if (dense.outputs[0]->num_elements() == 0) return absl::OkStatus();
  const int64_t in = kernel.input_row();
  const int64_t out = kernel.output_row();
  if (in > 0) RETURN_IF_ERROR(ExpectSameApart(kernel, dense, in, 0));
  if (out > 0) RETURN_IF_ERROR(ExpectSameApart(kernel, dense, 0, out));
  if (in > 0 && out > 0) RETURN_IF_ERROR(ExpectSameApart(kernel, dense, in, out));
  return absl::OkStatus();
}

}  // namespace

ProviderCase::ProviderCase(const std::string& op, Attributes attributes) {
  pending_.name = "node";
  pending_.op = FindOp(op);
  pending_.attributes = std::move(attributes);
}

ProviderCase& ProviderCase::Input(Tensor tensor) {
  Add(std::move(tensor), false);
  return *this;
}

ProviderCase& ProviderCase::Constant(Tensor tensor) {
  Add(std::move(tensor), true);
  return *this;
}

ProviderCase& ProviderCase::Absent() {
  pending_.inputs.push_back(kNoValue);
  operands_.emplace_back();
  return *this;
}

void ProviderCase::Add(Tensor tensor, bool constant) {
  const std::string name = absl::StrCat("x", operands_.size());
  pending_.inputs.push_back(
      constant ? graph_.AddConstant(name, tensor)
               : graph_.AddInput(name, ValueType::OfTensor(tensor.dtype(), tensor.shape())));
  operands_.push_back(std::move(tensor));
}

ProviderCase& ProviderCase::Then(const std::string& op, Attributes attributes) {
  EpilogueStep step;
  step.op = FindOp(op);
  step.attributes = std::move(attributes);
  pending_.epilogue.push_back(std::move(step));
  return *this;
}

ProviderCase& ProviderCase::ThenWith(const std::string& op, Tensor operand, bool constant,
                                     bool operand_first) {
  Then(op);
  if (pending_.first_epilogue_input < 0) {
    pending_.first_epilogue_input = static_cast<int>(pending_.inputs.size());
  }
  pending_.epilogue.back().operand = static_cast<int>(pending_.inputs.size());
  pending_.epilogue.back().operand_first = operand_first;
  Add(std::move(operand), constant);
  return *this;
}

ProviderCase& ProviderCase::KeepRowMajor() {
  keep_row_major_ = true;
  return *this;
}

absl::Status ProviderCase::Bind() {
  if (node_id_ != kNoNode) return absl::OkStatus();
  if (pending_.op == nullptr) return absl::NotFoundError("unknown operator");
  pending_.outputs = {graph_.AddValue("y")};
  std::vector<const ValueType*> types;
  std::vector<const Tensor*> constants;
  for (int i = 0; i < pending_.num_op_inputs(); ++i) {
    const ValueId id = pending_.inputs[i];
    types.push_back(id == kNoValue ? nullptr : &graph_.value(id).type);
    constants.push_back(graph_.constant(id));
  }
  InferContext context(pending_, types, constants);
  RETURN_IF_ERROR(pending_.op->infer(context));
  graph_.value(pending_.outputs[0]).type = context.output_type(0);
  node_id_ = graph_.AddNode(pending_);
  return absl::OkStatus();
}

bool ProviderCase::Supported(const ExecutionProvider& provider) {
  return Bind().ok() && provider.Supports(graph_, node());
}

void ProviderCase::AssignLayouts(const ExecutionProvider& provider) {
  if (keep_row_major_ || provider.Layouts(graph_, node()) != LayoutPreference::kChannelsLast) {
    return;
  }
  const int rank = graph_.value(node().outputs[0]).type.shape.rank();
  graph_.value(node().outputs[0]).layout = Layout::kChannelsLast;
  for (size_t i = 0; i < node().inputs.size(); ++i) {
    const ValueId id = node().inputs[i];
    if (id == kNoValue || graph_.constant(id) != nullptr) continue;
    if (graph_.value(id).type.shape.rank() == rank) {
      graph_.value(id).layout = Layout::kChannelsLast;
    }
  }
}

absl::StatusOr<Tensor> ProviderCase::Run(ExecutionProvider& provider,
                                         const PrepareContext& context) {
  RETURN_IF_ERROR(Bind());
  if (!provider.Supports(graph_, node())) return absl::NotFoundError("not supported");
  AssignLayouts(provider);
  ASSIGN_OR_RETURN(kernel_, provider.Prepare(graph_, node(), context));
  std::vector<Tensor> stored;
  for (size_t i = 0; i < operands_.size(); ++i) {
    if (!operands_[i].has_data()) {
      stored.emplace_back();
      continue;
    }
    Tensor operand = InLayout(operands_[i], graph_.value(node().inputs[i]).layout);
    // What the kernel says it holds, it must not read.
    if (kernel_->holds_input(static_cast<int>(i))) operand.Rebind(nullptr);
    stored.push_back(std::move(operand));
  }
  const Value& value = graph_.value(node().outputs[0]);
  ASSIGN_OR_RETURN(Tensor output,
                   Tensor::Allocate(value.type.dtype, value.type.shape.ToShape(), value.layout));
  std::memset(output.mutable_raw(), 0xA5, output.byte_size());
  std::vector<const Tensor*> inputs;
  for (const Tensor& operand : stored) inputs.push_back(&operand);
  Tensor* outputs[] = {&output};
  std::vector<std::byte> scratch(kernel_->scratch_bytes() + 64, std::byte{0x5A});
  StepContext step;
  step.inputs = inputs;
  step.outputs = outputs;
  step.scratch =
      reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) / 64 * 64);
  step.threads = context.threads;
  RETURN_IF_ERROR(kernel_->Run(step));
  RETURN_IF_ERROR(ExpectSameWithRowsApart(*kernel_, step));
  return InLayout(output, Layout::kRowMajor);
}

absl::StatusOr<Tensor> ProviderCase::Expected() {
  RETURN_IF_ERROR(Bind());
  const PortableKernel portable(node(), true, kLimitBytes);
  const ValueType& type = graph_.value(node().outputs[0]).type;
  ASSIGN_OR_RETURN(Tensor output, Tensor::Allocate(type.dtype, type.shape.ToShape()));
  RETURN_IF_ERROR(RunKernel(portable, operands_, &output));
  return output;
}

std::string ProviderCase::ExpectAgrees(double tolerance) {
  CpuProvider provider;
  return ExpectAgreesOn(provider, tolerance);
}

std::string ProviderCase::ExpectAgreesOn(ExecutionProvider& provider, double tolerance) {
  WeightStore weights;
  PrepareContext context;
  context.weights = &weights;
  context.threads = threads;
  const absl::StatusOr<Tensor> actual = Run(provider, context);
  const absl::StatusOr<Tensor> expected = Expected();
  const std::string trace = node_id_ == kNoNode ? "not bound" : graph_.ToString();
  EXPECT_TRUE(actual.ok()) << trace << actual.status();
  EXPECT_TRUE(expected.ok()) << trace << expected.status();
  if (!actual.ok() || !expected.ok()) return "";
  const std::string description = kernel_->description();
  const auto check = [&](const Tensor& output, double most) {
    const double largest = LargestMagnitude(*expected);
    EXPECT_LE(LargestDifference(output, *expected), most * std::max(largest, 1e-3))
        << trace << kernel_->description();
    EXPECT_FALSE(absl::StrContains(kernel_->description(), "ref")) << trace << description;
  };
  check(*actual, tolerance);
  // Every way that a measurement may choose.
  for (const std::string& candidate : provider.Candidates(graph_, node())) {
    context.candidate = candidate;
    const absl::StatusOr<Tensor> other = Run(provider, context);
    EXPECT_TRUE(other.ok()) << trace << candidate << ": " << other.status();
    if (other.ok()) check(*other, std::max(tolerance, kCandidateTolerance));
  }
  return description;
}

Attributes AttributesOf(std::initializer_list<std::pair<std::string, Attributes::Value>> values) {
  Attributes attributes;
  for (const auto& [name, value] : values) attributes.Set(name, value);
  return attributes;
}

std::vector<int64_t> Ints(std::initializer_list<int64_t> values) { return values; }

}  // namespace inferd::cpu
