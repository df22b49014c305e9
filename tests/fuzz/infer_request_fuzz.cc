// ModelInfer from the bytes on the wire to those of the reply: whatever is taken must have been
// charged with at least the memory that it takes, and a reply has an entry for each of its outputs.
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <vector>

#include "server/rpc/infer_call.h"
#include "server/rpc/inflated_bytes.h"
#include "server/rpc/wire_request.h"
#include "tests/server/rpc/fake_repository.h"
#include "tests/server/rpc/shared_object.h"

namespace {

using namespace inferd;  // NOLINT: as if within it, as the tests are

constexpr int64_t kMemory = 64 << 20;
constexpr int64_t kMaxMessage = 1 << 20;
constexpr int64_t kRegionBytes = 256;

// A model of inputs of every kind of type, which it gives back: numbers that are borrowed, that are
// checked and copied, and texts.
absl::StatusOr<std::unique_ptr<Model>> ManyTypes() {
  std::vector<TensorInfo> inputs;
  const std::pair<const char*, DType> types[] = {{"f", DType::kFloat32}, {"h", DType::kFloat16},
                                                 {"b", DType::kBool},    {"i", DType::kInt8},
                                                 {"l", DType::kInt64},   {"s", DType::kString}};
  for (const auto& [name, dtype] : types) inputs.push_back(FakeTensorInfo(name, dtype, {-1, -1}));
  return std::make_unique<FakeModel>(inputs, inputs);
}

absl::StatusOr<std::unique_ptr<Model>> Texts() {
  const std::vector<TensorInfo> inputs = {FakeTensorInfo("s", DType::kString, {-1, 1})};
  return std::make_unique<FakeModel>(inputs, inputs);
}

// What the daemon has around its calls; one for the whole run.
struct Surroundings {
  Surroundings() {
    fake.AddIdentity("m");
    fake.Add("many", 1, ManyTypes);
    fake.Add("texts", 1, Texts, "max_batch_size: 4");
    repository = &fake.Start();
    if (!RegisterObject(regions, "r", object, 0, kRegionBytes).ok()) std::abort();
    features.shared_memory = &regions;
  }
  FakeRepository fake;
  SharedObject object{kRegionBytes};
  SharedMemoryRegions regions{4, kRegionBytes};
  InferFeatures features;
  ModelRepository* repository = nullptr;
  InflightBytes inflight{kMemory};
  RequestPool pool{kMaxMessage, kMaxMessage / 16};
};

void CheckReply(const inference::ModelInferRequest& request,
                const inference::ModelInferResponse& response) {
  if (response.id() != request.id()) std::abort();
  if (response.outputs_size() != response.raw_output_contents_size()) std::abort();
  for (int i = 0; i < response.outputs_size(); ++i) {
    for (const int64_t dim : response.outputs(i).shape()) {
      if (dim < 0) std::abort();
    }
  }
  if (response.SerializeAsString().empty()) std::abort();
}

// Runs the request to its end.
void Infer(Surroundings& shared, const inference::ModelInferRequest& request) {
  inference::ModelInferResponse response;
  std::promise<absl::Status> done;
  InferCall call(shared.repository, &shared.inflight, kMaxMessage, shared.features);
  call.Start(request, &response, absl::Now(), absl::InfiniteFuture(),
             [&](const absl::Status& status) { done.set_value(status); });
  const absl::Status status = done.get_future().get();
  if (status.ok()) {
    CheckReply(request, response);
  } else if (status.message().empty()) {
    std::abort();
  }
}

// The bytes as gRPC hands them over, in pieces of `piece` bytes.
grpc::ByteBuffer InPieces(const char* data, size_t size, size_t piece) {
  std::vector<grpc::Slice> slices;
  for (size_t at = 0; at < size; at += piece) {
    slices.emplace_back(data + at, std::min(piece, size - at));
  }
  return grpc::ByteBuffer(slices.data(), slices.size());
}

void Inflate(Surroundings& shared, const char* data, size_t size) {
  InflightCharge charge(&shared.inflight);
  google::protobuf::io::ArrayInputStream stream(data, static_cast<int>(size), 7);
  const auto inflated = InflatedBytes::Inflate(&stream, kMaxMessage, &charge);
  if (!inflated.ok()) return;
  if (inflated->size() > kMaxMessage || inflated->size() > charge.bytes()) std::abort();
}

}  // namespace

// The first byte says in what pieces the rest comes and which model is asked where none is named;
// 255: it comes compressed.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Surroundings shared;
  if (size < 1) return 0;
  const char* rest = reinterpret_cast<const char*>(data) + 1;
  if (data[0] == 255) {
    Inflate(shared, rest, size - 1);
  } else {
    InflightCharge charge(&shared.inflight);
    WireRequest wire(&shared.pool, {kMaxMessage, false});
    grpc::ByteBuffer bytes = InPieces(rest, size - 1, data[0] / 3 + 1);
    const absl::Status parsed = wire.Parse(&bytes, &charge);
    if (parsed.ok()) {
      // As it is parsed into a fresh message: a pooled one keeps what it held before.
      inference::ModelInferRequest request(wire.message());
      const auto message = static_cast<int64_t>(request.SpaceUsedLong() - sizeof(request));
      if (message > charge.bytes()) std::abort();
      const char* const models[] = {"m", "many", "texts"};
      if (request.model_name().empty()) request.set_model_name(models[data[0] % 3]);
      Infer(shared, request);
    } else if (parsed.message().empty()) {
      std::abort();
    }
  }
  if (shared.inflight.used() != 0) std::abort();
  return 0;
}
