// How long a recorded graph of one kernel takes from its launch until who waits for it goes on, as
// an executor does it: the median of 10,000. Exits with 2, and says why, where no GPU answers.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/core/status_macros.h"
#include "engine/providers/cuda/cuda_context.h"
#include "engine/providers/cuda/cuda_device.h"
#include "engine/providers/cuda/cuda_status.h"
#include "engine/providers/cuda/launch/elementwise.h"

namespace inferd::cuda {
namespace {

constexpr int kLaunches = 10000;
constexpr int kWarmUp = 500;

// x = x + x, for one element.
ElementwiseProgram OneElement(void* x) {
  ElementwiseProgram program;
  program.num_inputs = 1;
  program.num_instructions = 1;
  program.elements = 1;
  program.dims = {1, {1}};
  program.inputs[0] = {x, Type::kFloat32, true, {}};
  program.instructions[0].code = Code::kAdd;
  program.output = x;
  program.output_type = Type::kFloat32;
  return program;
}

absl::StatusOr<std::vector<double>> Microseconds(CudaDevice& device) {
  ASSIGN_OR_RETURN(const std::unique_ptr<CudaContext> context, CudaContext::Make(device));
  ASSIGN_OR_RETURN(const std::shared_ptr<void> memory, device.Allocate(sizeof(float)));
  const float zero = 0;
  RETURN_IF_ERROR(device.Upload(memory.get(), &zero, sizeof(zero)));
  ASSIGN_OR_RETURN(const std::unique_ptr<DeviceGraph> graph, context->Record([&] {
    LaunchElementwise(OneElement(memory.get()), context->stream());
    return LaunchStatus("one kernel");
  }));
  std::vector<double> times;
  for (int i = 0; i < kWarmUp + kLaunches; ++i) {
    const absl::Time start = absl::Now();
    RETURN_IF_ERROR(graph->Launch());
    RETURN_IF_ERROR(context->Wait());
    if (i >= kWarmUp) times.push_back(absl::ToDoubleMicroseconds(absl::Now() - start));
  }
  return times;
}

int Main() {
  const auto device = CudaDevice::Open(0, 0);
  if (!device.ok()) {
    std::fprintf(stderr, "no GPU answers: %s\n", std::string(device.status().message()).c_str());
    return 2;
  }
  auto times = Microseconds(**device);
  if (!times.ok()) {
    std::fprintf(stderr, "%s\n", times.status().ToString().c_str());
    return 1;
  }
  std::sort(times->begin(), times->end());
  std::printf("| graph of one kernel, launch to completion | median %.2f us | p99 %.2f us |\n",
              (*times)[kLaunches / 2], (*times)[kLaunches * 99 / 100]);
  return 0;
}

}  // namespace
}  // namespace inferd::cuda

int main() { return inferd::cuda::Main(); }
