#include "engine/runtime/step_operands.h"

#include <algorithm>
#include <utility>

#include "engine/core/float16.h"
#include "engine/core/status_macros.h"
#include "engine/ops/float_format.h"
#include "engine/providers/device.h"

namespace inferd {
namespace {

// Runs on a device that are timed together: the first one begins as late as its launch takes.
constexpr int kRunsTimed = 8;

// Reads every cache line; the sum keeps the compiler from leaving that out.
unsigned TouchLines(const void* data, size_t bytes) {
  unsigned sum = 0;
  for (size_t i = 0; i < bytes; i += 64) sum += static_cast<const unsigned char*>(data)[i];
  return sum;
}

// Numbers of both signs around 1, the same ones each time.
void FillActivation(Tensor& tensor) {
  uint32_t state = 12345;
  const auto next = [&] {
    state = state * 1664525 + 1013904223;
    return static_cast<float>(state >> 8) / static_cast<float>(1 << 23) - 1.0f;
  };
  const int64_t count = tensor.num_elements();
  switch (tensor.dtype()) {
    case DType::kFloat32:
      std::generate_n(tensor.mutable_data<float>(), count, next);
      return;
    case DType::kBfloat16:
      std::generate_n(tensor.mutable_data<Bfloat16>(), count, [&] { return Bfloat16(next()); });
      return;
    case DType::kFloat16:
      std::generate_n(tensor.mutable_data<Float16>(), count, [&] { return Float16(next()); });
      return;
    case DType::kInt8:
    case DType::kUint8:
      std::generate_n(static_cast<int8_t*>(tensor.mutable_raw()), count,
                      [&] { return static_cast<int8_t>(100 * next()); });
      return;
    default:
      if (const FloatFormat* format = FindFloatFormat(tensor.dtype())) {  // of a byte or less
        std::generate_n(static_cast<uint8_t*>(tensor.mutable_raw()), count,
                        [&] { return static_cast<uint8_t>(EncodeFloat(next(), *format, true)); });
        return;
      }
      std::fill_n(static_cast<char*>(tensor.mutable_raw()), tensor.byte_size(), 0);
  }
}

absl::StatusOr<Tensor> Allocate(const Graph& graph, ValueId id) {
  if (id == kNoValue) return Tensor();
  const Value& value = graph.value(id);
  return Tensor::Allocate(value.type.dtype, value.type.shape.ToShape(), value.layout);
}

}  // namespace

absl::StatusOr<std::unique_ptr<StepOperands>> StepOperands::Make(const Graph& graph,
                                                                 const Node& node, Device* device) {
  std::unique_ptr<StepOperands> operands(new StepOperands());
  for (const ValueId id : node.inputs) {
    if (const Tensor* constant = graph.constant(id)) {
      operands->inputs_.push_back(constant->Kept());
      operands->is_activation_.push_back(false);
      continue;
    }
    ASSIGN_OR_RETURN(Tensor activation, Allocate(graph, id));
    if (id != kNoValue) FillActivation(activation);
    operands->inputs_.push_back(std::move(activation));
    operands->is_activation_.push_back(id != kNoValue);
  }
  for (const ValueId id : node.outputs) {
    ASSIGN_OR_RETURN(Tensor output, Allocate(graph, id));
    operands->outputs_.push_back(std::move(output));
  }
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    operands->input_pointers_.push_back(node.inputs[i] == kNoValue ? nullptr
                                                                   : &operands->inputs_[i]);
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    operands->output_pointers_.push_back(node.outputs[i] == kNoValue ? nullptr
                                                                     : &operands->outputs_[i]);
  }
  if (device != nullptr) RETURN_IF_ERROR(operands->MoveTo(*device));
  return operands;
}

StepOperands::~StepOperands() = default;

absl::Status StepOperands::MoveTo(Device& device) {
  device_ = &device;
  for (std::vector<Tensor>* tensors : {&inputs_, &outputs_}) {
    for (Tensor& tensor : *tensors) {
      if (!tensor.has_data()) continue;
      ASSIGN_OR_RETURN(tensor, OnDevice(tensor));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Tensor> StepOperands::OnDevice(const Tensor& tensor) {
  const int64_t bytes = tensor.byte_size();
  ASSIGN_OR_RETURN(std::shared_ptr<void> memory, device_->Allocate(std::max<int64_t>(bytes, 1)));
  if (bytes > 0) RETURN_IF_ERROR(device_->Upload(memory.get(), tensor.raw(), bytes));
  const void* data = memory.get();
  return Tensor::View(tensor.dtype(), tensor.shape(), data, std::move(memory), tensor.layout());
}

StepContext StepOperands::HostContext(void* scratch, int threads) {
  return {input_pointers_, absl::MakeSpan(output_pointers_), scratch, threads};
}

unsigned StepOperands::TouchActivations() const {
  unsigned sum = 0;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (is_activation_[i]) sum += TouchLines(inputs_[i].raw(), inputs_[i].byte_size());
  }
  return sum;
}

absl::StatusOr<absl::Duration> StepOperands::TimeOnDevice(const BoundKernel& kernel) {
  if (context_ == nullptr) {
    ASSIGN_OR_RETURN(context_, device_->MakeContext());
  }
  if (kernel.scratch_bytes() > scratch_bytes_) {
    ASSIGN_OR_RETURN(scratch_, device_->Allocate(kernel.scratch_bytes()));
    scratch_bytes_ = kernel.scratch_bytes();
  }
  StepContext step = HostContext(scratch_.get(), 1);
  step.device = context_.get();
  const auto time = context_->Time([&]() -> absl::Status {
    for (int run = 0; run < kRunsTimed; ++run) RETURN_IF_ERROR(kernel.Run(step));
    return absl::OkStatus();
  });
  if (!time.ok()) {
    context_ = nullptr;
    return time.status();
  }
  return *time / kRunsTimed;
}

absl::StatusOr<std::vector<Tensor>> StepOperands::CopyOutputs() {
  std::vector<Tensor> copies;
  for (const Tensor& output : outputs_) {
    if (!output.has_data()) {
      copies.emplace_back();
      continue;
    }
    if (device_ == nullptr) {
      ASSIGN_OR_RETURN(Tensor copy, output.Clone());
      copies.push_back(std::move(copy));
      continue;
    }
    ASSIGN_OR_RETURN(Tensor copy,
                     Tensor::Allocate(output.dtype(), output.shape(), output.layout()));
    RETURN_IF_ERROR(context_->CopyToHost(copy.mutable_raw(), output.raw(), copy.byte_size()));
    RETURN_IF_ERROR(context_->Wait());
    copies.push_back(std::move(copy));
  }
  return copies;
}

}  // namespace inferd
