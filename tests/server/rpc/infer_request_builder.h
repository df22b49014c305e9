#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "proto/inference.pb.h"

namespace inferd {

// The raw bytes of `values`.
inline std::string RawFloats(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// Adds an input with raw data.
inline inference::ModelInferRequest::InferInputTensor* AddRawInput(
    inference::ModelInferRequest* request, const std::string& name, const std::string& datatype,
    const std::vector<int64_t>& shape, const std::string& raw) {
  auto* input = request->add_inputs();
  input->set_name(name);
  input->set_datatype(datatype);
  for (const int64_t dim : shape) input->add_shape(dim);
  request->add_raw_input_contents(raw);
  return input;
}

// A request for FakeModel::Identity() with one row of two floats.
inline inference::ModelInferRequest IdentityRequest(const std::string& model) {
  inference::ModelInferRequest request;
  request.set_model_name(model);
  request.set_id("r1");
  AddRawInput(&request, "X", "FP32", {1, 2}, RawFloats({1, 2}));
  return request;
}

}  // namespace inferd
