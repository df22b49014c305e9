#include "engine/runtime/control_flow.h"

#include <algorithm>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/view.h"
#include "engine/runtime/executor.h"

namespace inferd {
namespace {

// A loop that a model never ends must not hold a core for ever.
constexpr int64_t kMaxIterations = 10'000'000;

const Plan* FindBody(const Step& step, absl::string_view name) {
  for (const auto& [body_name, plan] : step.bodies) {
    if (body_name == name) return plan.get();
  }
  return nullptr;
}

absl::StatusOr<bool> Condition(const Tensor& tensor) {
  if (tensor.dtype() != DType::kBool || tensor.num_elements() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("condition must be one bool, got ", tensor.TypeString()));
  }
  return tensor.data<bool>()[0];
}

std::vector<Tensor> Copies(absl::Span<const Tensor* const> tensors) {
  std::vector<Tensor> copies;
  for (const Tensor* tensor : tensors) copies.push_back(tensor == nullptr ? Tensor() : *tensor);
  return copies;
}

// Element i of `tensor` along `axis`, that axis dropped.
absl::StatusOr<Tensor> TakeSlice(const Tensor& tensor, int axis, int64_t i) {
  Shape shape = tensor.shape();
  shape.erase(axis);
  ASSIGN_OR_RETURN(Tensor slice, Tensor::Allocate(tensor.dtype(), shape));
  const int64_t outer = tensor.shape().Product(0, axis);
  const int64_t inner = tensor.shape().Product(axis + 1, tensor.rank());
  for (int64_t o = 0; o < outer; ++o) {
    CopyElements(tensor, (o * tensor.dim(axis) + i) * inner, &slice, o * inner, inner);
  }
  return slice;
}

// Equal-shaped tensors joined along a new axis.
absl::StatusOr<Tensor> Stack(const std::vector<Tensor>& parts, int64_t axis, int64_t limit_bytes) {
  const Tensor& first = parts.front();
  ASSIGN_OR_RETURN(const int at, NormalizeAxis(axis, first.rank() + 1));
  Shape shape = first.shape();
  shape.insert(at, static_cast<int64_t>(parts.size()));
  ASSIGN_OR_RETURN(Tensor stacked,
                   Tensor::Allocate(first.dtype(), shape, Layout::kRowMajor, limit_bytes));
  const int64_t outer = first.shape().Product(0, at);
  const int64_t inner = first.shape().Product(at, first.rank());
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].shape() != first.shape() || parts[i].dtype() != first.dtype()) {
      return absl::InvalidArgumentError(absl::StrCat("iteration ", i, " made ",
                                                     parts[i].TypeString(), ", the first made ",
                                                     first.TypeString()));
    }
    for (int64_t o = 0; o < outer; ++o) {
      CopyElements(parts[i], o * inner, &stacked,
                   (o * static_cast<int64_t>(parts.size()) + static_cast<int64_t>(i)) * inner,
                   inner);
    }
  }
  return stacked;
}

// Stacks the scan outputs collected per iteration; with none, an empty tensor of the body's type.
absl::Status StoreScans(const std::vector<std::vector<Tensor>>& scans, const Plan& body,
                        size_t first_body_output, const std::vector<int64_t>& axes,
                        absl::Span<Tensor* const> outputs) {
  for (size_t i = 0; i < scans.size() && i < outputs.size(); ++i) {
    if (outputs[i] == nullptr) continue;
    if (scans[i].empty()) {
      const ValueStorage& storage = body.values[body.outputs[first_body_output + i]];
      const DType dtype =
          storage.tensor.dtype() == DType::kInvalid ? DType::kFloat32 : storage.tensor.dtype();
      ASSIGN_OR_RETURN(*outputs[i], Tensor::Allocate(dtype, Shape({0})));
      continue;
    }
    ASSIGN_OR_RETURN(*outputs[i], Stack(scans[i], i < axes.size() ? axes[i] : 0, body.limit_bytes));
  }
  return absl::OkStatus();
}

absl::Status RunIf(const Step& step, absl::Span<const Tensor* const> inputs,
                   absl::Span<Tensor* const> outputs, int threads) {
  ASSIGN_OR_RETURN(const bool taken, Condition(*inputs[0]));
  const Plan* body = FindBody(step, taken ? "then_branch" : "else_branch");
  if (body == nullptr) return absl::InvalidArgumentError("If has no body for its condition");
  ASSIGN_OR_RETURN(std::vector<Tensor> results, RunBody(*body, Copies(inputs.subspan(1)), threads));
  for (size_t i = 0; i < outputs.size() && i < results.size(); ++i) {
    if (outputs[i] != nullptr) *outputs[i] = std::move(results[i]);
  }
  return absl::OkStatus();
}

absl::Status RunLoop(const Step& step, absl::Span<const Tensor* const> inputs,
                     absl::Span<Tensor* const> outputs, int threads) {
  const Plan* body = FindBody(step, "body");
  const size_t captured = step.num_captured;
  if (body == nullptr || inputs.size() < 2 + captured || body->inputs.size() != inputs.size() ||
      body->outputs.size() < inputs.size() - 1 - captured) {
    return absl::InvalidArgumentError("Loop and its body disagree on their inputs and outputs");
  }
  const size_t carried = inputs.size() - 2 - captured;
  int64_t trips = kMaxIterations + 1;
  if (inputs[0] != nullptr) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> count, inputs[0]->ToInt64s());
    if (count.size() != 1) return absl::InvalidArgumentError("trip count must be one integer");
    trips = count[0];
  }
  bool go_on = true;
  if (inputs[1] != nullptr) {
    ASSIGN_OR_RETURN(go_on, Condition(*inputs[1]));
  }
  std::vector<Tensor> arguments = Copies(inputs);
  std::vector<std::vector<Tensor>> scans(body->outputs.size() - 1 - carried);
  for (int64_t i = 0; go_on && i < trips; ++i) {
    if (i >= kMaxIterations) {
      return absl::ResourceExhaustedError(
          absl::StrCat("Loop did not end within ", kMaxIterations, " iterations"));
    }
    arguments[0] = Tensor::Scalar<int64_t>(i);
    arguments[1] = Tensor::Scalar<bool>(go_on);
    ASSIGN_OR_RETURN(std::vector<Tensor> results, RunBody(*body, arguments, threads));
    ASSIGN_OR_RETURN(go_on, Condition(results[0]));
    for (size_t c = 0; c < carried; ++c) arguments[2 + c] = std::move(results[1 + c]);
    for (size_t s = 0; s < scans.size(); ++s) {
      scans[s].push_back(std::move(results[1 + carried + s]));
    }
  }
  for (size_t c = 0; c < carried && c < outputs.size(); ++c) {
    if (outputs[c] != nullptr) *outputs[c] = std::move(arguments[2 + c]);
  }
  return StoreScans(scans, *body, 1 + carried, {},
                    outputs.subspan(std::min(carried, outputs.size())));
}

// Attribute list entry `i`, or `missing`.
int64_t Entry(const std::vector<int64_t>& list, size_t i, int64_t missing) {
  return i < list.size() ? list[i] : missing;
}

absl::Status RunScan(const Step& step, absl::Span<const Tensor* const> inputs,
                     absl::Span<Tensor* const> outputs, int threads) {
  const Plan* body = FindBody(step, "body");
  const int64_t scan_inputs = step.attributes.Int("num_scan_inputs", 0);
  const size_t captured = step.num_captured;
  if (body == nullptr || scan_inputs < 1 || body->inputs.size() != inputs.size() ||
      inputs.size() < captured + scan_inputs) {
    return absl::InvalidArgumentError("Scan and its body disagree on their inputs");
  }
  const size_t states = inputs.size() - captured - scan_inputs;
  if (body->outputs.size() < states) {
    return absl::InvalidArgumentError("Scan's body has fewer outputs than state variables");
  }
  const auto& input_axes = step.attributes.Ints("scan_input_axes");
  const auto& input_directions = step.attributes.Ints("scan_input_directions");
  const auto& output_directions = step.attributes.Ints("scan_output_directions");
  std::vector<Tensor> arguments = Copies(inputs);
  std::vector<int> axes;
  int64_t length = -1;
  for (int64_t k = 0; k < scan_inputs; ++k) {
    const Tensor& sequence = *inputs[states + k];
    ASSIGN_OR_RETURN(const int axis, NormalizeAxis(Entry(input_axes, k, 0), sequence.rank()));
    axes.push_back(axis);
    if (length >= 0 && sequence.dim(axis) != length) {
      return absl::InvalidArgumentError(absl::StrCat("scan input ", k, " has length ",
                                                     sequence.dim(axis), ", expected ", length));
    }
    length = sequence.dim(axis);
  }
  std::vector<std::vector<Tensor>> scans(body->outputs.size() - states);
  for (int64_t t = 0; t < length; ++t) {
    for (int64_t k = 0; k < scan_inputs; ++k) {
      const int64_t at = Entry(input_directions, k, 0) == 0 ? t : length - 1 - t;
      ASSIGN_OR_RETURN(arguments[states + k], TakeSlice(*inputs[states + k], axes[k], at));
    }
    ASSIGN_OR_RETURN(std::vector<Tensor> results, RunBody(*body, arguments, threads));
    for (size_t s = 0; s < states; ++s) arguments[s] = std::move(results[s]);
    for (size_t s = 0; s < scans.size(); ++s) scans[s].push_back(std::move(results[states + s]));
  }
  for (size_t s = 0; s < scans.size(); ++s) {
    if (Entry(output_directions, s, 0) != 0) std::reverse(scans[s].begin(), scans[s].end());
  }
  for (size_t s = 0; s < states && s < outputs.size(); ++s) {
    if (outputs[s] != nullptr) *outputs[s] = std::move(arguments[s]);
  }
  return StoreScans(scans, *body, states, step.attributes.Ints("scan_output_axes"),
                    outputs.subspan(std::min(states, outputs.size())));
}

// The sequences among a SequenceMap's own inputs, which must all be as long as the first.
absl::StatusOr<std::vector<size_t>> MappedSequences(absl::Span<const Tensor* const> inputs,
                                                    size_t own_inputs) {
  std::vector<size_t> sequences;
  for (size_t i = 0; i < own_inputs; ++i) {
    if (inputs[i]->kind() == ValueKind::kSequence) sequences.push_back(i);
  }
  if (sequences.empty() || sequences[0] != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("input 0 is ", inputs[0]->TypeString(), ", expected a sequence"));
  }
  for (size_t i : sequences) {
    if (inputs[i]->elements().size() != inputs[0]->elements().size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("input ", i, " is a sequence of ", inputs[i]->elements().size(),
                       ", input 0 of ", inputs[0]->elements().size(), "; expected equal lengths"));
    }
  }
  return sequences;
}

absl::Status RunSequenceMap(const Step& step, absl::Span<const Tensor* const> inputs,
                            absl::Span<Tensor* const> outputs, int threads) {
  const Plan* body = FindBody(step, "body");
  const size_t captured = step.num_captured;
  if (body == nullptr || body->inputs.size() != inputs.size() || inputs.size() < captured + 1) {
    return absl::InvalidArgumentError("SequenceMap and its body disagree on their inputs");
  }
  ASSIGN_OR_RETURN(const std::vector<size_t> sequences,
                   MappedSequences(inputs, inputs.size() - captured));
  std::vector<Tensor> arguments = Copies(inputs);
  std::vector<std::vector<Tensor>> made(body->outputs.size());
  for (size_t i = 0; i < inputs[0]->elements().size(); ++i) {
    for (size_t k : sequences) arguments[k] = inputs[k]->elements()[i];
    ASSIGN_OR_RETURN(std::vector<Tensor> results, RunBody(*body, arguments, threads));
    for (size_t k = 0; k < made.size(); ++k) made[k].push_back(std::move(results[k]));
  }
  for (size_t k = 0; k < made.size() && k < outputs.size(); ++k) {
    if (outputs[k] != nullptr) *outputs[k] = Tensor::Sequence(std::move(made[k]));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunControlFlow(const Step& step, absl::Span<const Tensor* const> inputs,
                            absl::Span<Tensor* const> outputs, int threads) {
  if (step.op->name == "If") return RunIf(step, inputs, outputs, threads);
  if (step.op->name == "Loop") return RunLoop(step, inputs, outputs, threads);
  if (step.op->name == "Scan") return RunScan(step, inputs, outputs, threads);
  if (step.op->name == "SequenceMap") return RunSequenceMap(step, inputs, outputs, threads);
  return absl::UnimplementedError(
      absl::StrCat("control flow operator ", step.op->name, " is not supported"));
}

}  // namespace inferd
