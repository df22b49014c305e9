#include "engine/providers/cuda/cuda_context.h"

#include <type_traits>
#include <utility>

#include "absl/time/clock.h"
#include "engine/core/status_macros.h"
#include "engine/providers/cuda/cuda_status.h"

namespace inferd::cuda {
namespace {

// A captured graph, made ready to launch on the stream it was captured on.
class CudaGraph : public DeviceGraph {
 public:
  CudaGraph(CudaDevice& device, cudaStream_t stream, cudaGraphExec_t graph)
      : device_(device), stream_(stream), graph_(graph) {}
  ~CudaGraph() override {
    cudaGraphExecDestroy(graph_);
    device_.GiveGraphBack();
  }

  absl::Status Launch() override {
    RETURN_IF_ERROR(device_.MakeCurrent());
    return device_.Check(cudaGraphLaunch(graph_, stream_), "a graph's launch");
  }

 private:
  CudaDevice& device_;
  const cudaStream_t stream_;
  const cudaGraphExec_t graph_;
};

// One that takes the time.
using Event = std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, decltype(&cudaEventDestroy)>;
absl::StatusOr<Event> MakeEvent(CudaDevice& device) {
  cudaEvent_t event = nullptr;
  RETURN_IF_ERROR(device.Check(cudaEventCreateWithFlags(&event, cudaEventDefault), "an event"));
  return Event(event, cudaEventDestroy);
}

}  // namespace

absl::StatusOr<std::unique_ptr<CudaContext>> CudaContext::Make(CudaDevice& device) {
  std::unique_ptr<CudaContext> context(new CudaContext(device));
  RETURN_IF_ERROR(device.MakeCurrent());
  RETURN_IF_ERROR(context->Init());
  return context;
}

absl::Status CudaContext::Init() {
  RETURN_IF_ERROR(
      device_.Check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream"));
  constexpr unsigned kFlags = cudaEventBlockingSync | cudaEventDisableTiming;
  RETURN_IF_ERROR(device_.Check(cudaEventCreateWithFlags(&done_, kFlags), "an event"));
  fault_ = AllocatePinned(sizeof(int));
  if (fault_ == nullptr) return absl::ResourceExhaustedError("no page-locked memory");
  *fault() = 0;
  ASSIGN_OR_RETURN(uploads_, UploadRing::Make());
  return absl::OkStatus();
}

CudaContext::~CudaContext() {
  if (!device_.MakeCurrent().ok()) return;
  // Also how a lost device is found out after another error.
  if (stream_ != nullptr) device_.Check(cudaStreamSynchronize(stream_), "work").IgnoreError();
  if (cudnn_ != nullptr) cudnnDestroy(cudnn_);
  if (done_ != nullptr) cudaEventDestroy(done_);
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

absl::Status CudaContext::CopyToDevice(void* to, const void* from, int64_t bytes) {
  RETURN_IF_ERROR(device_.MakeCurrent());
  return uploads_->Copy(to, from, bytes, stream_);
}

absl::Status CudaContext::CopyToHost(void* to, const void* from, int64_t bytes) {
  RETURN_IF_ERROR(device_.MakeCurrent());
  return downloads_.Copy(to, from, bytes, stream_);
}

absl::Status CudaContext::Wait() {
  RETURN_IF_ERROR(device_.MakeCurrent());
  RETURN_IF_ERROR(device_.Check(AwaitStream(), "work"));
  uploads_->Restart();
  downloads_.Deliver();
  const volatile int* fault = this->fault();
  if (*fault == 0) return absl::OkStatus();
  *this->fault() = 0;
  return absl::InvalidArgumentError("an index is out of range");
}

cudaError_t CudaContext::AwaitStream() {
  const absl::Time start = absl::Now();
  cudaError_t state = cudaStreamQuery(stream_);
  if (state != cudaErrorNotReady) return state;
  absl::SleepFor(pacer_.sleep());
  const absl::Time until = absl::Now() + pacer_.spin();
  do {
    state = cudaStreamQuery(stream_);
  } while (state == cudaErrorNotReady && absl::Now() < until);
  // Not being ready is no error that the next launch should find.
  cudaGetLastError();
  if (state == cudaErrorNotReady) {
    state = cudaEventRecord(done_, stream_);
    if (state == cudaSuccess) state = cudaEventSynchronize(done_);
  }
  pacer_.Add(absl::Now() - start);
  return state;
}

absl::StatusOr<std::unique_ptr<DeviceGraph>> CudaContext::Record(
    absl::FunctionRef<absl::Status()> work) {
  RETURN_IF_ERROR(device_.MakeCurrent());
  if (!device_.TakeGraph()) return absl::ResourceExhaustedError("the device has enough graphs");
  cudaGraphExec_t ready = nullptr;
  const absl::Status status = Capture(work, &ready);
  if (status.ok()) return std::make_unique<CudaGraph>(device_, stream_, ready);
  device_.GiveGraphBack();
  cudaGetLastError();
  if (!device_.usable()) return status;
  // What fails only while it is recorded works without; what always fails does so there.
  return absl::UnimplementedError(status.message());
}

absl::Status CudaContext::Capture(absl::FunctionRef<absl::Status()> work, cudaGraphExec_t* ready) {
  // What other threads do meanwhile, such as allocating, is none of its business.
  RETURN_IF_ERROR(device_.Check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal),
                                "a capture"));
  absl::Status status = work();
  cudaGraph_t graph = nullptr;
  const cudaError_t ended = cudaStreamEndCapture(stream_, &graph);
  if (status.ok()) status = device_.Check(ended, "a capture");
  if (status.ok()) status = device_.Check(cudaGraphInstantiate(ready, graph, 0), "a graph");
  if (graph != nullptr) cudaGraphDestroy(graph);
  return status;
}

absl::StatusOr<absl::Duration> CudaContext::Time(absl::FunctionRef<absl::Status()> work) {
  RETURN_IF_ERROR(device_.MakeCurrent());
  ASSIGN_OR_RETURN(const Event begin, MakeEvent(device_));
  ASSIGN_OR_RETURN(const Event end, MakeEvent(device_));
  RETURN_IF_ERROR(device_.Check(cudaEventRecord(begin.get(), stream_), "an event"));
  RETURN_IF_ERROR(work());
  RETURN_IF_ERROR(device_.Check(cudaEventRecord(end.get(), stream_), "an event"));
  RETURN_IF_ERROR(Wait());
  float milliseconds = 0;
  RETURN_IF_ERROR(device_.Check(cudaEventElapsedTime(&milliseconds, begin.get(), end.get()),
                                "the time between events"));
  return absl::Milliseconds(milliseconds);
}

absl::StatusOr<cudnnHandle_t> CudaContext::Cudnn() {
  if (cudnn_ == nullptr) {
    RETURN_IF_ERROR(ToStatus(cudnnCreate(&cudnn_), "a cuDNN handle"));
    RETURN_IF_ERROR(ToStatus(cudnnSetStream(cudnn_, stream_), "a cuDNN handle"));
  }
  return cudnn_;
}

}  // namespace inferd::cuda
