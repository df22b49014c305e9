#include "server/model/effective_config.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/status_macros.h"
#include "server/model/class_names.h"
#include "server/model/tensor_types.h"

namespace inferd {
namespace {

using inference::ModelConfig;
using ConfigDims = google::protobuf::RepeatedField<int64_t>;

std::string ObstacleOf(absl::string_view kind, absl::Span<const TensorInfo> tensors) {
  for (const TensorInfo& tensor : tensors) {
    const SymbolicShape& shape = tensor.type.shape;
    if (!shape.has_rank()) continue;
    if (shape.rank() == 0) return absl::StrCat(kind, " '", tensor.name, "' is a scalar");
    if (shape[0].known()) {
      return absl::StrCat(kind, " '", tensor.name, "' has the fixed dimension 0 of ",
                          shape[0].value);
    }
  }
  return "";
}

// What the ranks of the configured inputs say about the batch dimension.
enum class DimsForm { kUnknown, kWithoutBatch, kWhole };

DimsForm FormOfDims(const ModelConfig& config, absl::Span<const TensorInfo> inputs) {
  for (const inference::ModelInput& given : config.input()) {
    for (const TensorInfo& input : inputs) {
      if (input.name != given.name() || !input.type.shape.has_rank()) continue;
      if (given.dims_size() == input.type.shape.rank()) return DimsForm::kWhole;
      if (given.dims_size() + 1 == input.type.shape.rank()) return DimsForm::kWithoutBatch;
    }
  }
  return DimsForm::kUnknown;
}

std::string DimsText(const ConfigDims& dims) {
  return absl::StrCat("[", absl::StrJoin(dims, ","), "]");
}

absl::Status Contradiction(absl::string_view kind, const TensorInfo& tensor, const ConfigDims& dims,
                           int64_t max_batch_size) {
  const char* batch = max_batch_size > 0 ? " after the batch dimension" : "";
  return absl::InvalidArgumentError(absl::StrCat("model config: ", kind, " '", tensor.name,
                                                 "': the model has ", tensor.type.ToString(),
                                                 ", got dims ", DimsText(dims), batch));
}

// Narrows `tensor` to the configured dims, which lack the batch dimension when there is one.
absl::Status NarrowDims(absl::string_view kind, const ConfigDims& dims, int64_t max_batch_size,
                        TensorInfo* tensor) {
  if (dims.empty()) return absl::OkStatus();
  const int first = max_batch_size > 0 ? 1 : 0;
  SymbolicShape& shape = tensor->type.shape;
  if (!shape.has_rank()) {
    shape = SymbolicShape::OfRank(dims.size() + first);
    tensor->dim_names.assign(shape.rank(), "?");
  }
  if (shape.rank() != dims.size() + first) {
    return Contradiction(kind, *tensor, dims, max_batch_size);
  }
  for (int i = 0; i < dims.size(); ++i) {
    Dim& dim = shape[i + first];
    if (dim.known() && dim.value != dims[i]) {
      return Contradiction(kind, *tensor, dims, max_batch_size);
    }
    if (dims[i] > 0) {
      dim = Dim(dims[i]);
      if (i + first < static_cast<int>(tensor->dim_names.size())) {
        tensor->dim_names[i + first] = absl::StrCat(dims[i]);
      }
    }
  }
  return absl::OkStatus();
}

template <typename Given>
absl::Status ApplyTensor(absl::string_view kind, const Given& given, int64_t max_batch_size,
                         std::vector<TensorInfo>* tensors) {
  const auto tensor = std::find_if(tensors->begin(), tensors->end(), [&](const TensorInfo& info) {
    return info.name == given.name();
  });
  if (tensor == tensors->end()) {
    std::vector<std::string> names;
    for (const TensorInfo& info : *tensors) names.push_back(info.name);
    return absl::InvalidArgumentError(absl::StrCat("model config: ", kind, " '", given.name(),
                                                   "' is not in the model, which has ",
                                                   absl::StrJoin(names, ", ")));
  }
  const DType expected = tensor->type.dtype;
  if (given.data_type() != inference::TYPE_INVALID &&
      given.data_type() != ConfigDataType(expected)) {
    return absl::InvalidArgumentError(
        absl::StrCat("model config: ", kind, " '", given.name(), "': expected data_type TYPE_",
                     expected == DType::kString ? "STRING" : ProtocolTypeName(expected), ", got ",
                     inference::DataType_Name(given.data_type())));
  }
  return NarrowDims(kind, given.dims(), max_batch_size, &*tensor);
}

template <typename Tensor>
void FillTensor(const TensorInfo& info, int64_t max_batch_size, Tensor* tensor) {
  tensor->set_name(info.name);
  tensor->set_data_type(ConfigDataType(info.type.dtype));
  tensor->clear_dims();
  const SymbolicShape& shape = info.type.shape;
  for (int i = max_batch_size > 0 ? 1 : 0; i < shape.rank(); ++i) {
    tensor->add_dims(shape[i].known() ? shape[i].value : -1);
  }
}

// The entry with this name; added when there is none.
template <typename Tensors>
auto* EntryNamed(const std::string& name, Tensors* tensors) {
  for (auto& tensor : *tensors) {
    if (tensor.name() == name) return &tensor;
  }
  return tensors->Add();
}

}  // namespace

std::string BatchObstacle(absl::Span<const TensorInfo> inputs,
                          absl::Span<const TensorInfo> outputs) {
  if (inputs.empty()) return "the model has no inputs";
  const std::string obstacle = ObstacleOf("input", inputs);
  return obstacle.empty() ? ObstacleOf("output", outputs) : obstacle;
}

bool NeedsVerdict(const ModelOptions& options, absl::Span<const TensorInfo> inputs,
                  absl::Span<const TensorInfo> outputs) {
  return options.configured_max_batch_size.value_or(1) > 0 &&
         BatchObstacle(inputs, outputs).empty();
}

absl::StatusOr<BatchDecision> DecideBatching(const ModelOptions& options,
                                             absl::Span<const TensorInfo> inputs,
                                             absl::Span<const TensorInfo> outputs,
                                             const BatchVerdict& verdict) {
  const int64_t configured = options.configured_max_batch_size.value_or(-1);
  if (configured == 0) return BatchDecision{0, "not batched: the config says max_batch_size 0"};
  const std::string obstacle = BatchObstacle(inputs, outputs);
  const DimsForm form = FormOfDims(options.config, inputs);
  if (configured > 0) {
    if (!obstacle.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "model config: max_batch_size: expected 0 because ", obstacle, ", got ", configured));
    }
    const char* how = verdict.safety == BatchSafety::kRefused
                          ? "batched because the config insists, although "
                          : "batched as configured: ";
    return BatchDecision{configured, absl::StrCat(how, verdict.reason)};
  }
  if (form == DimsForm::kWhole) {
    return BatchDecision{0, "not batched: the config's dims include dimension 0"};
  }
  const bool is_safe = obstacle.empty() && verdict.safety != BatchSafety::kRefused;
  if (is_safe) {
    const char* how = verdict.safety == BatchSafety::kProven ? "proven" : "tested";
    return BatchDecision{kDerivedMaxBatchSize,
                         absl::StrCat("batched, ", how, ": ", verdict.reason)};
  }
  const std::string& why = obstacle.empty() ? verdict.reason : obstacle;
  if (form == DimsForm::kWithoutBatch) {
    return absl::InvalidArgumentError(absl::StrCat(
        "model config: the dims leave out a batch dimension, but the model is not batched: ", why));
  }
  return BatchDecision{0, absl::StrCat("not batched: ", why)};
}

absl::Status ApplyConfiguredSignature(const ModelConfig& config, int64_t max_batch_size,
                                      std::vector<TensorInfo>* inputs,
                                      std::vector<TensorInfo>* outputs) {
  for (const inference::ModelInput& input : config.input()) {
    RETURN_IF_ERROR(ApplyTensor("input", input, max_batch_size, inputs));
  }
  if (config.input_size() > 0) {
    for (const TensorInfo& info : *inputs) {
      const bool given = std::any_of(config.input().begin(), config.input().end(),
                                     [&](const auto& input) { return input.name() == info.name; });
      if (!given) {
        return absl::InvalidArgumentError(
            absl::StrCat("model config: input '", info.name, "' of the model is missing"));
      }
    }
  }
  for (const inference::ModelOutput& output : config.output()) {
    RETURN_IF_ERROR(ApplyTensor("output", output, max_batch_size, outputs));
  }
  if (config.output_size() > 0) {
    const auto is_left_out = [&](const TensorInfo& info) {
      return std::none_of(config.output().begin(), config.output().end(),
                          [&](const auto& output) { return output.name() == info.name; });
    };
    outputs->erase(std::remove_if(outputs->begin(), outputs->end(), is_left_out), outputs->end());
  }
  return absl::OkStatus();
}

ModelConfig CompleteConfig(const ModelOptions& options, absl::string_view name, int core_slots,
                           absl::Span<const int> devices, absl::Span<const TensorInfo> inputs,
                           absl::Span<const TensorInfo> outputs) {
  ModelConfig config = options.config;
  config.set_name(std::string(name.data(), name.size()));
  if (config.platform().empty()) config.set_platform("onnxruntime_onnx");
  if (config.backend().empty()) config.set_backend("onnxruntime");
  config.set_max_batch_size(static_cast<int32_t>(options.max_batch_size));
  config.set_default_model_filename(options.model_filename);
  if (!config.has_version_policy()) config.mutable_version_policy()->mutable_latest();
  if (config.version_policy().has_latest()) {
    config.mutable_version_policy()->mutable_latest()->set_num_versions(
        static_cast<uint32_t>(options.version_policy.count));
  }
  for (const TensorInfo& info : inputs) {
    FillTensor(info, options.max_batch_size, EntryNamed(info.name, config.mutable_input()));
  }
  for (const TensorInfo& info : outputs) {
    FillTensor(info, options.max_batch_size, EntryNamed(info.name, config.mutable_output()));
    if (info.class_names.empty()) continue;
    (*config.mutable_parameters())[ClassNamesKey(info.name)].set_string_value(
        ClassNamesText(info.class_names));
  }
  if (config.instance_group_size() == 0) {
    inference::ModelInstanceGroup* group = config.add_instance_group();
    group->set_name(config.name());
    group->set_kind(devices.empty() ? inference::ModelInstanceGroup::KIND_CPU
                                    : inference::ModelInstanceGroup::KIND_GPU);
    group->mutable_gpus()->Add(devices.begin(), devices.end());
    group->set_count(core_slots);
  }
  if (options.max_batch_size > 0) {
    inference::ModelDynamicBatching* batching = config.mutable_dynamic_batching();
    if (batching->preferred_batch_size_size() == 0) {
      batching->add_preferred_batch_size(static_cast<int32_t>(options.max_batch_size));
    }
    batching->mutable_default_queue_policy()->set_max_queue_size(
        static_cast<uint32_t>(options.max_queue_requests));
    batching->mutable_default_queue_policy()->set_allow_timeout_override(
        options.allow_timeout_override);
  }
  return config;
}

}  // namespace inferd
