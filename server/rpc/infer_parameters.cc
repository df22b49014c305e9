#include "server/rpc/infer_parameters.h"

#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

using inference::InferParameter;

absl::Status WrongType(absl::string_view name, absl::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("parameter '", name, "': expected ", expected, " value"));
}

absl::StatusOr<uint64_t> ReadUnsigned(absl::string_view name, const InferParameter& parameter) {
  if (parameter.has_uint64_param()) return parameter.uint64_param();
  if (!parameter.has_int64_param()) return WrongType(name, "an int64 or uint64");
  if (parameter.int64_param() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter '", name, "' is ", parameter.int64_param(), ", expected >= 0"));
  }
  return static_cast<uint64_t>(parameter.int64_param());
}

absl::StatusOr<int64_t> ReadCount(absl::string_view name, const InferParameter& parameter) {
  ASSIGN_OR_RETURN(const uint64_t count, ReadUnsigned(name, parameter));
  if (count <= uint64_t{std::numeric_limits<int64_t>::max()}) return static_cast<int64_t>(count);
  return absl::InvalidArgumentError(
      absl::StrCat("parameter '", name, "' is ", count, ", expected less than 2^63"));
}

absl::Status ReadPriority(const InferParameter& parameter, InferParameters* result) {
  ASSIGN_OR_RETURN(const uint64_t priority, ReadUnsigned("priority", parameter));
  if (priority > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter 'priority' is ", priority, ", expected at most 4294967295"));
  }
  result->priority = static_cast<uint32_t>(priority);
  return absl::OkStatus();
}

absl::Status ReadTimeout(const InferParameter& parameter, InferParameters* result) {
  ASSIGN_OR_RETURN(const uint64_t microseconds, ReadUnsigned("timeout", parameter));
  if (microseconds == 0) return absl::OkStatus();
  constexpr uint64_t kLongest = std::numeric_limits<int64_t>::max();
  result->queue_timeout =
      absl::Microseconds(static_cast<int64_t>(std::min(microseconds, kLongest)));
  return absl::OkStatus();
}

// True for the values by which a client says that the request is of no sequence.
bool MeansNoSequence(const InferParameter& parameter) {
  switch (parameter.parameter_choice_case()) {
    case InferParameter::kBoolParam:
      return !parameter.bool_param();
    case InferParameter::kInt64Param:
      return parameter.int64_param() == 0;
    case InferParameter::kUint64Param:
      return parameter.uint64_param() == 0;
    case InferParameter::kStringParam:
      return parameter.string_param().empty();
    default:
      return false;
  }
}

absl::Status ReadParameter(absl::string_view name, const InferParameter& parameter,
                           InferParameters* result) {
  if (parameter.parameter_choice_case() == InferParameter::PARAMETER_CHOICE_NOT_SET) {
    return absl::InvalidArgumentError(absl::StrCat("parameter '", name, "' has no value"));
  }
  if (name == "priority") return ReadPriority(parameter, result);
  if (name == "timeout") return ReadTimeout(parameter, result);
  if (name == "inferd_timings") {
    if (!parameter.has_bool_param()) return WrongType(name, "a bool");
    result->timings = parameter.bool_param();
    return absl::OkStatus();
  }
  if (name == "sequence_id" || name == "sequence_start" || name == "sequence_end") {
    if (MeansNoSequence(parameter)) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("parameter '", name, "': the model does not keep sequences"));
  }
  if (name == "triton_enable_empty_final_response") {
    return parameter.has_bool_param() ? absl::OkStatus() : WrongType(name, "a bool");
  }
  if (absl::StartsWith(name, "triton_")) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown parameter '", name.substr(0, 64),
                     "': names that begin with 'triton_' are reserved"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<InferParameters> ReadRequestParameters(const ParameterMap& parameters) {
  InferParameters result;
  for (const auto& [name, parameter] : parameters) {
    RETURN_IF_ERROR(ReadParameter(name, parameter, &result));
  }
  return result;
}

absl::StatusOr<TensorParameters> ReadTensorParameters(const ParameterMap& parameters) {
  TensorParameters result;
  bool has_place = false;
  for (const auto& [name, parameter] : parameters) {
    if (name == "shared_memory_region") {
      if (!parameter.has_string_param()) return WrongType(name, "a string");
      result.region = parameter.string_param();
      if (result.region.empty()) return WrongType(name, "a region's name as");
    } else if (name == "shared_memory_offset") {
      ASSIGN_OR_RETURN(result.region_offset, ReadCount(name, parameter));
      has_place = true;
    } else if (name == "shared_memory_byte_size") {
      ASSIGN_OR_RETURN(result.region_bytes, ReadCount(name, parameter));
      has_place = true;
    } else if (name == "classification") {
      ASSIGN_OR_RETURN(result.classes, ReadCount(name, parameter));
      if (result.classes == 0) {
        return absl::InvalidArgumentError("parameter 'classification' is 0, expected at least 1");
      }
    }
  }
  if (has_place && result.region.empty()) {
    return absl::InvalidArgumentError(
        "parameters 'shared_memory_offset' and 'shared_memory_byte_size': expected "
        "'shared_memory_region' beside them");
  }
  return result;
}

}  // namespace inferd
