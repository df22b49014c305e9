// How long sequences of different lengths take as one packed execution:
// usage: mixed_lengths MODEL LENGTHS SECONDS OUTPUT_FILE [padded [PASS]]
// LENGTHS such as 8,31,128: one request each, or with `padded` the rows of one request, padded with
// zeros to the longest. Prints the median in milliseconds and writes the first outputs of all
// requests, in order, as raw bytes. Token i of a sequence of length n is (7 i + 13 n) mod 1000 in
// the first input and 1 in the others. PASS is switched off.
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

// A request of one row for each length.
absl::StatusOr<std::vector<Tensor>> RequestOf(const Model& model,
                                              const std::vector<int64_t>& lengths) {
  const int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  std::vector<Tensor> request;
  for (const TensorInfo& info : model.inputs()) {
    if (info.type.dtype != DType::kInt64 || info.type.shape.rank() != 2) {
      return absl::InvalidArgumentError(info.name + ": expected int64 [rows, length]");
    }
    const auto rows = static_cast<int64_t>(lengths.size());
    auto tensor = Tensor::Allocate(DType::kInt64, Shape({rows, longest}));
    if (!tensor.ok()) return tensor.status();
    int64_t* tokens = tensor->mutable_data<int64_t>();
    std::fill_n(tokens, rows * longest, 0);
    for (const int64_t length : lengths) {
      for (int64_t i = 0; i < length; ++i) {
        tokens[i] = request.empty() ? (7 * i + 13 * length) % 1000 : 1;
      }
      tokens += longest;
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

struct Arguments {
  const char* model = nullptr;
  std::vector<int64_t> lengths;
  double seconds = 0;
  const char* output = nullptr;
  bool padded = false;
  EngineConfig config;
};

int Main(const Arguments& arguments) {
  const auto model = Compile(arguments.model, arguments.config);
  if (!model.ok()) return Fail(model.status());
  CoreSlot slot(1);
  PrepareThread(1);
  const PackingVerdict verdict = (*model)->CheckPacking(slot);
  std::fprintf(stderr, "%s\n", verdict.reason.c_str());
  if (!verdict.packs && !arguments.padded) return 1;
  std::vector<std::vector<Tensor>> requests;
  for (const int64_t length : arguments.lengths) {
    auto request =
        RequestOf(**model, arguments.padded ? arguments.lengths : std::vector<int64_t>{length});
    if (!request.ok()) return Fail(request.status());
    requests.push_back(*std::move(request));
    if (arguments.padded) break;
  }
  const std::vector<absl::Span<const Tensor>> views(requests.begin(), requests.end());
  std::vector<double> times;
  std::vector<std::vector<Tensor>> outputs(1);
  const Clock::time_point start = Clock::now();
  // The first binds the plan.
  for (int i = -1;
       i < 5 || std::chrono::duration<double>(Clock::now() - start).count() < arguments.seconds;
       ++i) {
    const Clock::time_point before = Clock::now();
    const absl::Status status = arguments.padded ? (*model)->Run(slot, requests[0], &outputs[0])
                                                 : (*model)->RunPacked(slot, views, &outputs);
    if (!status.ok()) return Fail(status);
    if (i >= 0) {
      times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - before).count());
    }
  }
  Write(outputs, arguments.output);
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  std::printf("%.3f\n", times[times.size() / 2]);
  return 0;
}

}  // namespace
}  // namespace inferd

int main(int argc, char** argv) {
  if (argc < 5 || argc > 7 || (argc > 5 && std::string(argv[5]) != "padded")) {
    std::fprintf(stderr,
                 "usage: mixed_lengths MODEL LENGTHS SECONDS OUTPUT_FILE [padded [PASS]]\n");
    return 2;
  }
  inferd::Arguments arguments;
  arguments.model = argv[1];
  for (const auto& length : absl::StrSplit(argv[2], ',')) {
    arguments.lengths.push_back(std::max(1ll, std::atoll(std::string(length).c_str())));
  }
  arguments.seconds = std::atof(argv[3]);
  arguments.output = argv[4];
  arguments.padded = argc > 5;
  if (argc > 6) arguments.config.disabled_passes = {argv[6]};
  return inferd::Main(arguments);
}
