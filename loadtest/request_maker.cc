#include "loadtest/request_maker.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "loadtest/npy_file.h"

namespace inferd::loadtest {
namespace {

using inference::ModelInferRequest;
using Tensor = inference::ModelInferRequest::InferInputTensor;
using Metadata = inference::ModelMetadataResponse::TensorMetadata;

constexpr int64_t kMaxElements = int64_t{1} << 28;

template <typename T>
std::string Repeat(T value, int64_t count) {
  std::string raw(count * sizeof(T), '\0');
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(raw.data() + i * sizeof(T), &value, sizeof(T));
  }
  return raw;
}

template <typename T>
std::string Normal(int64_t count, std::mt19937_64& random) {
  std::normal_distribution<T> normal;
  std::string raw(count * sizeof(T), '\0');
  for (int64_t i = 0; i < count; ++i) {
    const T value = normal(random);
    std::memcpy(raw.data() + i * sizeof(T), &value, sizeof(T));
  }
  return raw;
}

absl::StatusOr<std::string> Fill(const std::string& datatype, int64_t count,
                                 std::mt19937_64& random) {
  if (datatype == "FP32") return Normal<float>(count, random);
  if (datatype == "FP64") return Normal<double>(count, random);
  if (datatype == "FP16") return Repeat<uint16_t>(0x3C00, count);  // 1.0
  if (datatype == "BF16") return Repeat<uint16_t>(0x3F80, count);  // 1.0
  if (datatype == "BOOL" || datatype == "INT8" || datatype == "UINT8") {
    return Repeat<uint8_t>(1, count);
  }
  if (datatype == "INT16" || datatype == "UINT16") return Repeat<uint16_t>(1, count);
  if (datatype == "INT32" || datatype == "UINT32") return Repeat<uint32_t>(1, count);
  if (datatype == "INT64" || datatype == "UINT64") return Repeat<uint64_t>(1, count);
  if (datatype == "BYTES") {
    std::string raw;
    for (int64_t i = 0; i < count; ++i) raw.append("\6\0\0\0inferd", 10);
    return raw;
  }
  return absl::InvalidArgumentError(absl::StrCat("cannot make data of type ", datatype));
}

absl::Status AddFromFile(const std::string& path, Tensor* tensor, ModelInferRequest* request) {
  auto array = ReadNpyFile(path);
  if (!array.ok()) return array.status();
  if (array->datatype != tensor->datatype()) {
    return absl::InvalidArgumentError(absl::StrCat("input ", tensor->name(), ": expected ",
                                                   tensor->datatype(), ", got ", array->datatype,
                                                   " in ", path));
  }
  tensor->mutable_shape()->Add(array->shape.begin(), array->shape.end());
  request->add_raw_input_contents(std::move(array->raw));
  return absl::OkStatus();
}

absl::Status AddRandom(const Options& options, const Metadata& metadata, std::mt19937_64& random,
                       Tensor* tensor, ModelInferRequest* request) {
  auto given = options.shapes.find(metadata.name());
  int64_t count = 1;
  const int rank = given == options.shapes.end() ? metadata.shape_size()
                                                 : static_cast<int>(given->second.size());
  for (int i = 0; i < rank; ++i) {
    const int64_t dim =
        given != options.shapes.end() ? given->second[i] : std::max<int64_t>(metadata.shape(i), -1);
    tensor->add_shape(dim == -1 ? 1 : dim);
    if (tensor->shape(i) != 0 && count > kMaxElements / tensor->shape(i)) {
      return absl::InvalidArgumentError(
          absl::StrCat("input ", metadata.name(), ": more than ", kMaxElements, " elements"));
    }
    count *= tensor->shape(i);
  }
  auto raw = Fill(metadata.datatype(), count, random);
  if (!raw.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("input ", metadata.name(), ": ", raw.status().message()));
  }
  request->add_raw_input_contents(*std::move(raw));
  return absl::OkStatus();
}

// A name that the model does not have is a mistake, not something to ignore.
absl::Status CheckNames(const Options& options, const inference::ModelMetadataResponse& metadata) {
  std::set<std::string> known;
  for (const Metadata& input : metadata.inputs()) known.insert(input.name());
  const auto check = [&](const std::string& name) {
    if (known.count(name) != 0) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("model ", options.model, " has no input '", name, "'"));
  };
  for (const auto& [name, path] : options.input_files) {
    if (absl::Status status = check(name); !status.ok()) return status;
  }
  for (const auto& [name, shape] : options.shapes) {
    if (absl::Status status = check(name); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ModelInferRequest> MakeRequest(const Options& options,
                                              const inference::ModelMetadataResponse& metadata) {
  if (absl::Status status = CheckNames(options, metadata); !status.ok()) return status;
  std::mt19937_64 random(options.seed);
  ModelInferRequest request;
  request.set_model_name(options.model);
  request.set_model_version(options.version);
  for (const Metadata& input : metadata.inputs()) {
    Tensor* tensor = request.add_inputs();
    tensor->set_name(input.name());
    tensor->set_datatype(input.datatype());
    auto file = options.input_files.find(input.name());
    const absl::Status status = file != options.input_files.end()
                                    ? AddFromFile(file->second, tensor, &request)
                                    : AddRandom(options, input, random, tensor, &request);
    if (!status.ok()) return status;
  }
  return request;
}

}  // namespace inferd::loadtest
