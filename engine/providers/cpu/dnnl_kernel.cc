#include "engine/providers/cpu/dnnl_kernel.h"

#include <cstddef>
#include <utility>

#include "engine/core/status_macros.h"
#include "engine/providers/cpu/dnnl_types.h"

namespace inferd::cpu {

// oneDNN's memory objects for one execution at a time; making them costs more than running a small
// primitive, so one set is kept ready.
struct DnnlKernel::Handles {
  dnnl::stream stream;
  std::vector<dnnl::memory> memories;      // of all calls, in order
  std::vector<dnnl_exec_arg_t> arguments;  // the same, as oneDNN wants them
};

DnnlKernel::DnnlKernel(std::vector<DnnlCall> calls, int64_t scratch_bytes, std::string description)
    : calls_(std::move(calls)),
      scratch_bytes_(scratch_bytes),
      description_(std::move(description)) {}

DnnlKernel::~DnnlKernel() { delete spare_.load(); }

bool DnnlKernel::holds_input(int i) const {
  bool packed = false;
  for (const DnnlCall& call : calls_) {
    for (const DnnlArgument& argument : call.arguments) {
      if (argument.index != i) continue;
      if (argument.source == DnnlArgument::Source::kInput) return false;
      packed = packed || argument.source == DnnlArgument::Source::kPacked;
    }
  }
  return packed;
}

std::unique_ptr<DnnlKernel::Handles> DnnlKernel::MakeHandles() const {
  auto handles = std::make_unique<Handles>();
  handles->stream = dnnl::stream(DnnlEngine());
  for (const DnnlCall& call : calls_) {
    for (const DnnlArgument& argument : call.arguments) {
      void* data = argument.packed == nullptr ? DNNL_MEMORY_NONE
                                              : const_cast<void*>(argument.packed->data());
      handles->memories.emplace_back(argument.desc, DnnlEngine(), data);
      handles->arguments.push_back({argument.id, handles->memories.back().get()});
    }
  }
  return handles;
}

absl::Status DnnlKernel::Run(const StepContext& context) const {
  std::unique_ptr<Handles> handles(spare_.exchange(nullptr, std::memory_order_acq_rel));
  if (handles == nullptr) {
    RETURN_IF_ERROR(CatchDnnl(description_, [&] {
      handles = MakeHandles();
      return absl::OkStatus();
    }));
  }
  absl::Status status = Execute(context, *handles);
  delete spare_.exchange(handles.release(), std::memory_order_acq_rel);
  return status;
}

absl::Status DnnlKernel::Execute(const StepContext& context, Handles& handles) const {
  using Source = DnnlArgument::Source;
  size_t first = 0;
  for (const DnnlCall& call : calls_) {
    const size_t count = call.arguments.size();
    for (size_t i = 0; i < count; ++i) {
      const DnnlArgument& argument = call.arguments[i];
      void* data = nullptr;
      if (argument.source == Source::kPacked) continue;
      if (argument.source == Source::kInput) {
        data = const_cast<void*>(context.inputs[argument.index]->raw());
      } else if (argument.source == Source::kOutput) {
        data = context.outputs[argument.index]->mutable_raw();
      } else {
        data = static_cast<std::byte*>(context.scratch) + argument.scratch_offset;
      }
      if (dnnl_memory_set_data_handle(handles.arguments[first + i].memory, data) != dnnl_success) {
        return absl::InternalError(absl::StrCat(description_, ": oneDNN refused a buffer"));
      }
    }
    const dnnl_status_t status =
        dnnl_primitive_execute(call.primitive->primitive.get(), handles.stream.get(),
                               static_cast<int>(count), handles.arguments.data() + first);
    if (status != dnnl_success) {
      return absl::InternalError(
          absl::StrCat(description_, ": oneDNN failed with status ", static_cast<int>(status)));
    }
    first += count;
  }
  return absl::OkStatus();
}

}  // namespace inferd::cpu
