#include "config/model_options.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "config/precision.h"
#include "config/text_proto.h"

namespace inferd {
namespace {

using inference::ModelConfig;

constexpr int64_t kMaxBatchSizeLimit = 65536;
constexpr int64_t kMaxQueueLimit = 1000000;
constexpr int64_t kMaxPriorityLevels = 1000;
constexpr uint64_t kMaxMicroseconds = uint64_t{3600} * 1000 * 1000;

constexpr char kPrecision[] = "precision";
constexpr char kPrecisionError[] = "precision_error";
constexpr char kAliasPrefix[] = "version_alias.";

template <typename... Parts>
absl::Status Invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat("model config: ", parts...));
}

absl::Status Unsupported(absl::string_view field) {
  return absl::UnimplementedError(
      absl::StrCat("model config: ", field, " is not supported by this server"));
}

absl::Status CheckIdentity(const ModelConfig& config, absl::string_view model_name) {
  if (!config.name().empty() && config.name() != model_name) {
    return Invalid("name: expected '", model_name, "', the folder's name, or none, got '",
                   config.name(), "'");
  }
  static const std::set<std::string> kPlatforms = {"", "onnxruntime_onnx", "onnx_onnxv1", "onnx"};
  if (kPlatforms.count(config.platform()) == 0) {
    return Invalid("platform: expected onnxruntime_onnx or none, got '", config.platform(), "'");
  }
  static const std::set<std::string> kBackends = {"", "onnxruntime", "inferd"};
  if (kBackends.count(config.backend()) == 0) {
    return Invalid("backend: expected onnxruntime or none, got '", config.backend(), "'");
  }
  return absl::OkStatus();
}

absl::Status CheckFilename(const ModelConfig& config, ModelOptions* options) {
  const std::string& name = config.default_model_filename();
  if (name.empty()) return absl::OkStatus();
  if (name.find('/') != std::string::npos || name.find('\0') != std::string::npos || name == "." ||
      name == ".." || name.size() > 255) {
    return Invalid(
        "default_model_filename: expected the name of a file in the version folder, got '", name,
        "'");
  }
  options->model_filename = name;
  return absl::OkStatus();
}

absl::Status CheckVersionPolicy(const ModelConfig& config, ModelOptions* options) {
  const inference::ModelVersionPolicy& given = config.version_policy();
  VersionPolicy& policy = options->version_policy;
  if (given.has_all()) {
    policy.kind = VersionPolicy::Kind::kAll;
  } else if (given.has_specific()) {
    policy.kind = VersionPolicy::Kind::kSpecific;
    policy.versions.assign(given.specific().versions().begin(), given.specific().versions().end());
    std::sort(policy.versions.begin(), policy.versions.end());
    if (policy.versions.empty()) {
      return Invalid("version_policy.specific.versions: expected at least one version, got none");
    }
    if (policy.versions.front() < 1) {
      return Invalid("version_policy.specific.versions: expected positive numbers, got ",
                     policy.versions.front());
    }
    policy.versions.erase(std::unique(policy.versions.begin(), policy.versions.end()),
                          policy.versions.end());
  } else if (given.has_latest()) {
    policy.count = std::max<int64_t>(1, given.latest().num_versions());
  }
  return absl::OkStatus();
}

absl::Status CheckDims(absl::string_view tensor,
                       const google::protobuf::RepeatedField<int64_t>& dims) {
  for (const int64_t dim : dims) {
    if (dim == -1 || dim > 0) continue;
    return Invalid("dims of '", tensor, "': expected positive numbers or -1, got ", dim);
  }
  return absl::OkStatus();
}

// What inputs and outputs have in common.
template <typename Tensors>
absl::Status CheckTensors(absl::string_view kind, const Tensors& tensors) {
  std::set<std::string> names;
  for (const auto& tensor : tensors) {
    if (tensor.name().empty()) return Invalid(kind, ": expected a name, got none");
    if (!names.insert(tensor.name()).second) {
      return Invalid(kind, " '", tensor.name(), "' is given twice");
    }
    if (absl::Status status = CheckDims(tensor.name(), tensor.dims()); !status.ok()) return status;
    const std::string where = absl::StrCat(kind, " '", tensor.name(), "': ");
    if (tensor.has_reshape()) return Unsupported(where + "reshape");
    if (tensor.is_shape_tensor()) return Unsupported(where + "is_shape_tensor");
    if (tensor.is_non_linear_format_io()) return Unsupported(where + "is_non_linear_format_io");
  }
  return absl::OkStatus();
}

absl::Status CheckLabelFile(const inference::ModelOutput& output) {
  const std::string& name = output.label_filename();
  const bool is_plain = name.find_first_of("/\0", 0, 2) == std::string::npos && name != "." &&
                        name != ".." && name.size() <= 255;
  if (is_plain) return absl::OkStatus();
  return Invalid("output '", output.name(),
                 "': label_filename: expected the name of a file in the ", "model's folder, got '",
                 name.substr(0, 255), "'");
}

absl::Status CheckSignature(const ModelConfig& config, ModelOptions* options) {
  if (absl::Status status = CheckTensors("input", config.input()); !status.ok()) return status;
  if (absl::Status status = CheckTensors("output", config.output()); !status.ok()) return status;
  for (const inference::ModelInput& input : config.input()) {
    const std::string where = absl::StrCat("input '", input.name(), "': ");
    if (input.allow_ragged_batch()) return Unsupported(where + "allow_ragged_batch");
    if (input.optional()) return Unsupported(where + "optional");
    if (input.format() != inference::ModelInput::FORMAT_NONE) {
      options->notes.push_back(where + "format is ignored");
    }
  }
  for (const inference::ModelOutput& output : config.output()) {
    if (absl::Status status = CheckLabelFile(output); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// One group of GPUs: their numbers, and so many executions on each.
absl::Status AddDevices(const inference::ModelInstanceGroup& group, ModelOptions* options) {
  // As in Triton, where nothing is said one instance runs on a GPU.
  const int count = std::max(group.count(), 1);
  if (options->on_devices && options->executions_per_device != count) {
    return Unsupported("instance_group: GPUs with different counts");
  }
  if (options->on_devices && (group.gpus().empty() || options->device_ordinals.empty())) {
    return Invalid("instance_group: all GPUs are in one group, expected no other group of GPUs");
  }
  options->on_devices = true;
  options->executions_per_device = count;
  for (const int gpu : group.gpus()) {
    if (gpu < 0) return Invalid("instance_group.gpus: expected at least 0, got ", gpu);
    const std::vector<int>& known = options->device_ordinals;
    if (std::find(known.begin(), known.end(), gpu) != known.end()) {
      return Invalid("instance_group.gpus: expected each GPU once, got ", gpu, " twice");
    }
    options->device_ordinals.push_back(gpu);
  }
  return absl::OkStatus();
}

absl::Status CheckInstances(const ModelConfig& config, ModelOptions* options) {
  for (const inference::ModelInstanceGroup& group : config.instance_group()) {
    if (group.has_rate_limiter()) return Unsupported("instance_group.rate_limiter");
    if (group.passive()) return Unsupported("instance_group.passive");
    if (group.secondary_devices_size() > 0) {
      return Unsupported("instance_group.secondary_devices");
    }
    if (group.count() < 0) {
      return Invalid("instance_group.count: expected at least 0, got ", group.count());
    }
    if (group.kind() == inference::ModelInstanceGroup::KIND_CPU) {
      if (group.gpus_size() > 0) return Invalid("instance_group.gpus: KIND_CPU takes none");
      options->on_host = true;
    } else if (group.kind() == inference::ModelInstanceGroup::KIND_GPU || group.gpus_size() > 0) {
      if (absl::Status status = AddDevices(group, options); !status.ok()) return status;
    }
  }
  if (options->on_host && options->on_devices) {
    return Unsupported("instance_group on the CPU and on GPUs");
  }
  if (config.instance_group_size() > 0 && !options->on_devices) {
    options->notes.push_back(
        "instance_group.count is ignored: every model may use every core slot of the server");
  }
  return absl::OkStatus();
}

absl::Status CheckMicroseconds(absl::string_view field, uint64_t micros, absl::Duration* duration) {
  if (micros > kMaxMicroseconds) {
    return Invalid(field, ": expected at most ", kMaxMicroseconds, " (one hour), got ", micros);
  }
  *duration = absl::Microseconds(static_cast<int64_t>(micros));
  return absl::OkStatus();
}

absl::Status CheckQueuePolicy(const inference::ModelQueuePolicy& policy, ModelOptions* options) {
  const std::string field = "dynamic_batching.default_queue_policy.";
  if (policy.timeout_action() == inference::ModelQueuePolicy::DELAY) {
    return Unsupported(field + "timeout_action DELAY");
  }
  if (absl::Status status =
          CheckMicroseconds(field + "default_timeout_microseconds",
                            policy.default_timeout_microseconds(), &options->default_queue_timeout);
      !status.ok())
    return status;
  options->allow_timeout_override = policy.allow_timeout_override();
  if (policy.max_queue_size() > kMaxQueueLimit) {
    return Invalid(field, "max_queue_size: expected at most ", kMaxQueueLimit, ", got ",
                   policy.max_queue_size());
  }
  if (policy.max_queue_size() > 0) options->max_queue_requests = policy.max_queue_size();
  return absl::OkStatus();
}

absl::Status CheckPriorities(const inference::ModelDynamicBatching& batching,
                             ModelOptions* options) {
  if (batching.priority_queue_policy_size() > 0) {
    return Unsupported("dynamic_batching.priority_queue_policy");
  }
  if (batching.priority_levels() > kMaxPriorityLevels) {
    return Invalid("dynamic_batching.priority_levels: expected at most ", kMaxPriorityLevels,
                   ", got ", batching.priority_levels());
  }
  options->priority_levels = static_cast<uint32_t>(batching.priority_levels());
  if (options->priority_levels == 0) return absl::OkStatus();
  const uint64_t level = batching.default_priority_level();
  if (level < 1 || level > options->priority_levels) {
    return Invalid("dynamic_batching.default_priority_level: expected 1 to ",
                   options->priority_levels, ", got ", level);
  }
  options->default_priority = static_cast<uint32_t>(level);
  return absl::OkStatus();
}

absl::Status CheckBatching(const ModelConfig& config, bool has_max_batch_size,
                           ModelOptions* options) {
  const int64_t max_batch_size = config.max_batch_size();
  if (max_batch_size < 0 || max_batch_size > kMaxBatchSizeLimit) {
    return Invalid("max_batch_size: expected 0 to ", kMaxBatchSizeLimit, ", got ", max_batch_size);
  }
  if (has_max_batch_size) options->configured_max_batch_size = max_batch_size;
  const inference::ModelDynamicBatching& batching = config.dynamic_batching();
  for (const int32_t size : batching.preferred_batch_size()) {
    const int64_t limit = max_batch_size > 0 ? max_batch_size : kMaxBatchSizeLimit;
    if (size < 1 || size > limit) {
      return Invalid("dynamic_batching.preferred_batch_size: expected 1 to ", limit, ", got ",
                     size);
    }
    options->preferred_batch_sizes.push_back(size);
  }
  std::sort(options->preferred_batch_sizes.begin(), options->preferred_batch_sizes.end());
  if (absl::Status status =
          CheckMicroseconds("dynamic_batching.max_queue_delay_microseconds",
                            batching.max_queue_delay_microseconds(), &options->max_queue_delay);
      !status.ok())
    return status;
  if (absl::Status status = CheckPriorities(batching, options); !status.ok()) return status;
  if (batching.has_default_queue_policy()) {
    if (absl::Status status = CheckQueuePolicy(batching.default_queue_policy(), options);
        !status.ok())
      return status;
  }
  if (batching.preserve_ordering()) {
    options->notes.push_back(
        "dynamic_batching.preserve_ordering is ignored: each call has one reply");
  }
  return absl::OkStatus();
}

absl::Status CheckUnsupported(const ModelConfig& config) {
  if (config.has_sequence_batching()) return Unsupported("sequence_batching");
  if (config.has_ensemble_scheduling()) return Unsupported("ensemble_scheduling");
  if (config.model_transaction_policy().decoupled()) {
    return Unsupported("model_transaction_policy.decoupled");
  }
  if (config.model_operations().op_library_filename_size() > 0) {
    return Unsupported("model_operations.op_library_filename");
  }
  if (config.batch_input_size() > 0) return Unsupported("batch_input");
  if (config.batch_output_size() > 0) return Unsupported("batch_output");
  if (config.model_repository_agents().agents_size() > 0) {
    return Unsupported("model_repository_agents");
  }
  if (config.response_cache().enable()) return Unsupported("response_cache");
  if (config.cc_model_filenames_size() > 0) return Unsupported("cc_model_filenames");
  if (!config.runtime().empty()) return Unsupported("runtime");
  return absl::OkStatus();
}

// A name that can be told from a version number.
bool IsAlias(absl::string_view name) {
  return !name.empty() && name.size() <= 64 && absl::ascii_isalpha(name[0]) &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.';
         });
}

absl::Status ReadAliases(const ModelConfig& config, ModelOptions* options) {
  for (const auto& [key, value] : config.parameters()) {
    absl::string_view name = key;
    if (!absl::ConsumePrefix(&name, kAliasPrefix)) continue;
    if (!IsAlias(name)) {
      return Invalid("parameters: ", key.substr(0, 100),
                     ": expected a name of at most 64 letters, digits, '_', '-' and '.' that "
                     "begins with a letter");
    }
    int64_t version = 0;
    if (!absl::SimpleAtoi(value.string_value(), &version) || version < 1) {
      return Invalid("parameters: ", key, ": expected a version number, got '",
                     value.string_value().substr(0, 100), "'");
    }
    options->version_aliases.emplace(std::string(name), version);
  }
  return absl::OkStatus();
}

absl::Status CheckParameters(const ModelConfig& config, ModelOptions* options) {
  if (absl::Status status = ReadAliases(config, options); !status.ok()) return status;
  const auto error = config.parameters().find(kPrecisionError);
  if (error != config.parameters().end()) {
    const std::string& text = error->second.string_value();
    double value = 0;
    if (!absl::SimpleAtod(text, &value) || !(value >= 0 && value <= 1)) {
      return Invalid("parameters: precision_error: expected a number from 0 to 1, got '",
                     text.substr(0, 100), "'");
    }
    options->max_precision_error = value;
  }
  const auto precision = config.parameters().find(kPrecision);
  if (precision == config.parameters().end()) return absl::OkStatus();
  const std::optional<Precision> parsed = ParsePrecision(precision->second.string_value());
  if (!parsed) {
    return Invalid(
        "parameters: precision: expected 'fp32', 'bf16', 'fp16', 'int8' or 'auto', got '",
        precision->second.string_value(), "'");
  }
  options->precision = *parsed;
  return absl::OkStatus();
}

void NoteIgnored(const ModelConfig& config, ModelOptions* options) {
  std::vector<std::string>& notes = options->notes;
  if (config.has_optimization()) notes.push_back("optimization is ignored");
  if (config.metric_tags_size() > 0) notes.push_back("metric_tags is ignored");
  if (config.has_model_metrics()) notes.push_back("model_metrics is ignored");
  if (config.model_warmup_size() > 0) {
    notes.push_back("model_warmup is ignored: the server warms every model up by itself");
  }
  std::vector<std::string> keys;
  for (const auto& [key, value] : config.parameters()) {
    if (key != kPrecision && key != kPrecisionError && !absl::StartsWith(key, kAliasPrefix))
      keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  if (!keys.empty()) {
    notes.push_back(absl::StrCat("parameters are ignored: ", absl::StrJoin(keys, ", ")));
  }
}

}  // namespace

absl::Status CheckModelName(absl::string_view name) {
  const bool well_formed = !name.empty() && name.size() <= 255 && name[0] != '.' &&
                           std::all_of(name.begin(), name.end(), [](unsigned char c) {
                             return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.';
                           });
  if (well_formed) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("model name: expected 1 to 255 letters, digits, '_', '-' or '.', not beginning "
                   "with '.', got '",
                   name.substr(0, 300), "'"));
}

absl::StatusOr<ModelOptions> ParseModelOptions(absl::string_view text,
                                               absl::string_view model_name) {
  ModelOptions options;
  ModelConfig& config = options.config;
  std::set<std::string> set_fields;
  if (absl::Status status = ParseTextProto(text, "model config", &config, &set_fields);
      !status.ok())
    return status;
  if (absl::Status status = CheckIdentity(config, model_name); !status.ok()) return status;
  if (absl::Status status = CheckUnsupported(config); !status.ok()) return status;
  if (absl::Status status = CheckFilename(config, &options); !status.ok()) return status;
  if (absl::Status status = CheckVersionPolicy(config, &options); !status.ok()) return status;
  if (absl::Status status = CheckSignature(config, &options); !status.ok()) return status;
  if (absl::Status status = CheckInstances(config, &options); !status.ok()) return status;
  if (absl::Status status = CheckBatching(config, set_fields.count("max_batch_size") > 0, &options);
      !status.ok())
    return status;
  if (absl::Status status = CheckParameters(config, &options); !status.ok()) return status;
  NoteIgnored(config, &options);
  return options;
}

}  // namespace inferd
