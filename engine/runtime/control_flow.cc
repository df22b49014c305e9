#include "engine/runtime/control_flow.h"

#include <algorithm>

#include "absl/cleanup/cleanup.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/view.h"
#include "engine/runtime/carried_value.h"
#include "engine/runtime/scan_stack.h"

namespace inferd {
namespace {

// A loop that a model never ends must not hold a core for ever.
constexpr int64_t kMaxIterations = 10'000'000;

using Bodies = absl::Span<const std::unique_ptr<BodyRunner>>;

BodyRunner* FindBody(const Step& step, Bodies bodies, absl::string_view name) {
  for (size_t i = 0; i < step.bodies.size(); ++i) {
    if (step.bodies[i].first == name) return bodies[i].get();
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

// A scan input's element of one iteration after the other, that axis dropped.
class ScanSlices {
 public:
  ScanSlices(const Tensor& tensor, int axis, bool reversed)
      : tensor_(tensor), axis_(axis), reversed_(reversed) {}

  int64_t length() const { return tensor_.dim(axis_); }

  // A tensor to take elements in.
  absl::StatusOr<Tensor> MakeSlice() const {
    Shape shape = tensor_.shape();
    shape.erase(axis_);
    if (axis_ == 0) return Tensor::View(tensor_.dtype(), shape, nullptr);
    return Tensor::Allocate(tensor_.dtype(), shape);
  }

  // Points `slice` at element `t`, or copies it there where it does not lie together.
  void Take(int64_t t, Tensor* slice) const {
    const int64_t at = reversed_ ? length() - 1 - t : t;
    const int64_t inner = tensor_.shape().Product(axis_ + 1, tensor_.rank());
    if (axis_ == 0) {
      const auto* first = static_cast<const std::byte*>(tensor_.raw());
      slice->Rebind(const_cast<std::byte*>(first + at * inner * ElementBytes(tensor_.dtype())));
      return;
    }
    const int64_t outer = tensor_.shape().Product(0, axis_);
    for (int64_t o = 0; o < outer; ++o) {
      CopyElements(tensor_, (o * length() + at) * inner, slice, o * inner, inner);
    }
  }

 private:
  const Tensor& tensor_;
  int axis_;
  bool reversed_;
};

// What a loop carries and collects: the body's outputs behind `first` are `carried` values, then
// scan outputs.
class Iterations {
 public:
  Iterations(BodyRunner& body, CoreSlot& slot, std::vector<Tensor> arguments, size_t first_argument,
             size_t first_output, size_t carried, int64_t expected)
      : body_(body),
        slot_(slot),
        arguments_(std::move(arguments)),
        first_argument_(first_argument),
        first_output_(first_output),
        scans_(body.body().num_outputs() - first_output - carried,
               ScanStack(expected, body.limit_bytes())) {
    for (size_t c = 0; c < carried; ++c) carried_.emplace_back(arguments_[first_argument + c]);
  }

  Tensor& argument(size_t i) { return arguments_[i]; }

  // Runs the body once. With `go_on` its first output is the condition.
  absl::Status Next(bool* go_on) {
    RETURN_IF_ERROR(body_.Run(arguments_, slot_));
    const auto release = absl::MakeCleanup([this] { body_.Release(); });
    if (go_on != nullptr) {
      ASSIGN_OR_RETURN(*go_on, Condition(body_.result(0)));
    }
    int result = static_cast<int>(first_output_);
    for (CarriedValue& value : carried_) RETURN_IF_ERROR(value.Take(body_, result++));
    for (ScanStack& scan : scans_) RETURN_IF_ERROR(scan.Append(body_.result(result++)));
    for (size_t c = 0; c < carried_.size(); ++c) {
      Tensor& argument = arguments_[first_argument_ + c];
      const Tensor& value = carried_[c].value();
      const bool same = value.kind() == ValueKind::kTensor && argument.raw() == value.raw() &&
                        argument.shape() == value.shape();
      if (!same) argument = value;
    }
    return absl::OkStatus();
  }

  absl::Status Finish(const std::vector<int64_t>& axes, const std::vector<int64_t>& directions,
                      absl::Span<Tensor* const> outputs) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i] == nullptr) continue;
      if (i < carried_.size()) {
        ASSIGN_OR_RETURN(*outputs[i], carried_[i].Finish());
        continue;
      }
      const size_t s = i - carried_.size();
      if (s >= scans_.size()) break;
      const bool reversed = s < directions.size() && directions[s] != 0;
      const int64_t axis = s < axes.size() ? axes[s] : 0;
      if (scans_[s].empty()) {
        ASSIGN_OR_RETURN(*outputs[i], NoScans(static_cast<int>(first_output_ + i), axis));
      } else {
        ASSIGN_OR_RETURN(*outputs[i], scans_[s].Finish(axis, reversed));
      }
    }
    return absl::OkStatus();
  }

 private:
  // An empty scan output of the type that the body would have made parts of. Sizes that depend on
  // data are zero.
  absl::StatusOr<Tensor> NoScans(int output, int64_t axis) const {
    const ValueType type = body_.body().OutputType(output, arguments_);
    Shape shape;
    for (const Dim& dim : type.shape.dims()) shape.push_back(dim.known() ? dim.value : 0);
    ASSIGN_OR_RETURN(const int at, NormalizeAxis(axis, shape.rank() + 1));
    shape.insert(at, 0);
    const DType dtype = type.dtype == DType::kInvalid ? DType::kFloat32 : type.dtype;
    return Tensor::Allocate(dtype, shape);
  }

  BodyRunner& body_;
  CoreSlot& slot_;
  std::vector<Tensor> arguments_;
  const size_t first_argument_;
  const size_t first_output_;
  std::vector<CarriedValue> carried_;
  std::vector<ScanStack> scans_;
};

absl::Status RunIf(const Step& step, absl::Span<const Tensor* const> inputs,
                   absl::Span<Tensor* const> outputs, Bodies bodies, CoreSlot& slot) {
  ASSIGN_OR_RETURN(const bool taken, Condition(*inputs[0]));
  BodyRunner* body = FindBody(step, bodies, taken ? "then_branch" : "else_branch");
  if (body == nullptr) return absl::InvalidArgumentError("If has no body for its condition");
  const std::vector<Tensor> arguments = Copies(inputs.subspan(1));
  if (body->body().num_inputs() != arguments.size() ||
      body->body().num_outputs() < outputs.size()) {
    return absl::InvalidArgumentError("If and its body disagree on their inputs and outputs");
  }
  RETURN_IF_ERROR(body->Run(arguments, slot));
  const auto release = absl::MakeCleanup([body] { body->Release(); });
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i] == nullptr) continue;
    const int result = static_cast<int>(i);
    ASSIGN_OR_RETURN(*outputs[i], Lasting(body->result(result), body->IsKept(result)));
  }
  return absl::OkStatus();
}

absl::Status RunLoop(const Step& step, absl::Span<const Tensor* const> inputs,
                     absl::Span<Tensor* const> outputs, Bodies bodies, CoreSlot& slot) {
  BodyRunner* body = FindBody(step, bodies, "body");
  const size_t captured = step.num_captured;
  if (body == nullptr || inputs.size() < 2 + captured ||
      body->body().num_inputs() != inputs.size() ||
      body->body().num_outputs() < inputs.size() - 1 - captured) {
    return absl::InvalidArgumentError("Loop and its body disagree on their inputs and outputs");
  }
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
  int64_t iteration = 0;
  std::vector<Tensor> arguments = Copies(inputs);
  arguments[0] = Tensor::View(DType::kInt64, Shape(), &iteration);
  arguments[1] = Tensor::View(DType::kBool, Shape(), &go_on);
  const int64_t expected = inputs[0] == nullptr ? 0 : trips;
  Iterations loop(*body, slot, std::move(arguments), 2, 1, inputs.size() - 2 - captured, expected);
  for (; go_on && iteration < trips; ++iteration) {
    if (iteration >= kMaxIterations) {
      return absl::ResourceExhaustedError(
          absl::StrCat("Loop did not end within ", kMaxIterations, " iterations"));
    }
    RETURN_IF_ERROR(loop.Next(&go_on));
  }
  return loop.Finish({}, {}, outputs);
}

// Attribute list entry `i`, or zero.
int64_t Entry(const std::vector<int64_t>& list, size_t i) { return i < list.size() ? list[i] : 0; }

// The scan inputs `tensors`; they must be equally long.
absl::StatusOr<std::vector<ScanSlices>> SliceInputs(const Attributes& attributes,
                                                    absl::Span<const Tensor* const> tensors) {
  const auto& axes = attributes.Ints("scan_input_axes");
  const auto& directions = attributes.Ints("scan_input_directions");
  std::vector<ScanSlices> slices;
  for (size_t k = 0; k < tensors.size(); ++k) {
    ASSIGN_OR_RETURN(const int axis, NormalizeAxis(Entry(axes, k), tensors[k]->rank()));
    slices.emplace_back(*tensors[k], axis, Entry(directions, k) != 0);
    if (slices[k].length() != slices[0].length()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "scan input ", k, " has length ", slices[k].length(), ", expected ", slices[0].length()));
    }
  }
  return slices;
}

absl::Status RunScan(const Step& step, absl::Span<const Tensor* const> inputs,
                     absl::Span<Tensor* const> outputs, Bodies bodies, CoreSlot& slot) {
  BodyRunner* body = FindBody(step, bodies, "body");
  const int64_t scan_inputs = step.attributes.Int("num_scan_inputs", 0);
  const size_t captured = step.num_captured;
  if (body == nullptr || scan_inputs < 1 || body->body().num_inputs() != inputs.size() ||
      inputs.size() < captured + scan_inputs) {
    return absl::InvalidArgumentError("Scan and its body disagree on their inputs");
  }
  const size_t states = inputs.size() - captured - scan_inputs;
  if (body->body().num_outputs() < states) {
    return absl::InvalidArgumentError("Scan's body has fewer outputs than state variables");
  }
  ASSIGN_OR_RETURN(const std::vector<ScanSlices> slices,
                   SliceInputs(step.attributes, inputs.subspan(states, scan_inputs)));
  const int64_t length = slices[0].length();
  Iterations scan(*body, slot, Copies(inputs), 0, 0, states, length);
  for (size_t k = 0; k < slices.size(); ++k) {
    ASSIGN_OR_RETURN(scan.argument(states + k), slices[k].MakeSlice());
  }
  for (int64_t t = 0; t < length; ++t) {
    for (size_t k = 0; k < slices.size(); ++k) slices[k].Take(t, &scan.argument(states + k));
    RETURN_IF_ERROR(scan.Next(nullptr));
  }
  return scan.Finish(step.attributes.Ints("scan_output_axes"),
                     step.attributes.Ints("scan_output_directions"), outputs);
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
                            absl::Span<Tensor* const> outputs, Bodies bodies, CoreSlot& slot) {
  BodyRunner* body = FindBody(step, bodies, "body");
  const size_t captured = step.num_captured;
  if (body == nullptr || body->body().num_inputs() != inputs.size() ||
      inputs.size() < captured + 1) {
    return absl::InvalidArgumentError("SequenceMap and its body disagree on their inputs");
  }
  ASSIGN_OR_RETURN(const std::vector<size_t> sequences,
                   MappedSequences(inputs, inputs.size() - captured));
  std::vector<Tensor> arguments = Copies(inputs);
  std::vector<std::vector<Tensor>> made(body->body().num_outputs());
  for (size_t i = 0; i < inputs[0]->elements().size(); ++i) {
    for (size_t k : sequences) arguments[k] = inputs[k]->elements()[i];
    RETURN_IF_ERROR(body->Run(arguments, slot));
    const auto release = absl::MakeCleanup([body] { body->Release(); });
    for (size_t k = 0; k < made.size(); ++k) {
      const int result = static_cast<int>(k);
      ASSIGN_OR_RETURN(Tensor value, Lasting(body->result(result), body->IsKept(result)));
      made[k].push_back(std::move(value));
    }
  }
  for (size_t k = 0; k < made.size() && k < outputs.size(); ++k) {
    if (outputs[k] != nullptr) *outputs[k] = Tensor::Sequence(std::move(made[k]));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunControlFlow(const Step& step, absl::Span<const Tensor* const> inputs,
                            absl::Span<Tensor* const> outputs, Bodies bodies, CoreSlot& slot) {
  if (step.op->name == "If") return RunIf(step, inputs, outputs, bodies, slot);
  if (step.op->name == "Loop") return RunLoop(step, inputs, outputs, bodies, slot);
  if (step.op->name == "Scan") return RunScan(step, inputs, outputs, bodies, slot);
  if (step.op->name == "SequenceMap") return RunSequenceMap(step, inputs, outputs, bodies, slot);
  return absl::UnimplementedError(
      absl::StrCat("control flow operator ", step.op->name, " is not supported"));
}

}  // namespace inferd
