// How long sequences of different lengths take as one packed execution:
// usage: mixed_lengths MODEL LENGTHS SECONDS OUTPUT_FILE
// LENGTHS such as 8,31,128: one request each. Prints the median in milliseconds and writes the
// first outputs of all requests, in order, as raw bytes. Token i of a sequence of length n is
// (7 i + 13 n) mod 1000 in the first input and 1 in the others.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "engine/engine.h"

namespace inferd {
namespace {

using Clock = std::chrono::steady_clock;

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return 1;
}

absl::StatusOr<std::vector<Tensor>> RequestOf(const Model& model, int64_t length) {
  std::vector<Tensor> request;
  for (const TensorInfo& info : model.inputs()) {
    if (info.type.dtype != DType::kInt64 || info.type.shape.rank() != 2) {
      return absl::InvalidArgumentError(info.name + ": expected int64 [rows, length]");
    }
    auto tensor = Tensor::Allocate(DType::kInt64, Shape({1, length}));
    if (!tensor.ok()) return tensor.status();
    for (int64_t i = 0; i < length; ++i) {
      tensor->mutable_data<int64_t>()[i] = request.empty() ? (7 * i + 13 * length) % 1000 : 1;
    }
    request.push_back(*std::move(tensor));
  }
  return request;
}

void Write(const std::vector<std::vector<Tensor>>& outputs, const char* path) {
  std::FILE* file = std::fopen(path, "wb");
  if (file == nullptr) return;
  for (const std::vector<Tensor>& request : outputs) {
    std::fwrite(request[0].raw(), 1, request[0].byte_size(), file);
  }
  std::fclose(file);
}

int Main(const char* path, const std::string& lengths, double seconds, const char* output) {
  const auto model = Compile(path, EngineConfig());
  if (!model.ok()) return Fail(model.status());
  CoreSlot slot(1);
  UseOpenMpThreads(1);
  const PackingVerdict verdict = (*model)->CheckPacking(slot);
  if (!verdict.packs) {
    std::fprintf(stderr, "%s cannot be packed: %s\n", path, verdict.reason.c_str());
    return 1;
  }
  std::vector<std::vector<Tensor>> requests;
  for (const auto& length : absl::StrSplit(lengths, ',')) {
    auto request = RequestOf(**model, std::atoll(std::string(length).c_str()));
    if (!request.ok()) return Fail(request.status());
    requests.push_back(*std::move(request));
  }
  const std::vector<absl::Span<const Tensor>> views(requests.begin(), requests.end());
  std::vector<double> times;
  std::vector<std::vector<Tensor>> outputs;
  const Clock::time_point start = Clock::now();
  // The first binds the plan.
  for (int i = -1; i < 5 || std::chrono::duration<double>(Clock::now() - start).count() < seconds;
       ++i) {
    const Clock::time_point before = Clock::now();
    if (absl::Status status = (*model)->RunPacked(slot, views, &outputs); !status.ok()) {
      return Fail(status);
    }
    if (i >= 0) {
      times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - before).count());
    }
  }
  Write(outputs, output);
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  std::printf("%.3f\n", times[times.size() / 2]);
  return 0;
}

}  // namespace
}  // namespace inferd

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: mixed_lengths MODEL LENGTHS SECONDS OUTPUT_FILE\n");
    return 2;
  }
  return inferd::Main(argv[1], argv[2], std::atof(argv[3]), argv[4]);
}
