#include "engine/onnx/importer.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/byte_source.h"
#include "engine/onnx/function_table.h"
#include "engine/onnx/graph_builder.h"
#include "engine/onnx/model_reader.h"
#include "engine/onnx/opset_versions.h"
#include "engine/onnx/tensor_reader.h"

namespace inferd {
namespace {

ModelMetadata ReadMetadata(const ::onnx::ModelProto& model, const OpsetVersions& opsets) {
  ModelMetadata metadata;
  metadata.graph_name = model.graph().name();
  metadata.producer = model.producer_name();
  if (!model.producer_version().empty()) {
    absl::StrAppend(&metadata.producer, " ", model.producer_version());
  }
  metadata.description = model.doc_string();
  metadata.ir_version = model.ir_version();
  metadata.opsets = opsets.List();
  for (const auto& entry : model.metadata_props()) {
    metadata.properties[entry.key()] = entry.value();
  }
  return metadata;
}

absl::StatusOr<ImportedModel> Import(std::shared_ptr<const ByteSource> source,
                                     const std::string& folder, int64_t max_model_bytes,
                                     const OpRegistry& registry) {
  ASSIGN_OR_RETURN(RawModel model, ReadModel(*source, max_model_bytes));
  if (!model.proto.has_graph()) {
    return absl::InvalidArgumentError("not a valid ONNX model: it has no graph");
  }
  RETURN_IF_ERROR(CheckIrVersion(model.proto.ir_version()));
  ASSIGN_OR_RETURN(const OpsetVersions opsets, OpsetVersions::Read(model.proto.opset_import()));
  ASSIGN_OR_RETURN(const FunctionTable functions, FunctionTable::Read(model.proto));
  ImportedModel imported;
  imported.recovery = std::make_shared<RecoverySet>();
  imported.identity = source->identity();
  TensorReader tensors(std::move(source), folder, max_model_bytes, imported.recovery);
  GraphBuilder builder(registry, functions, tensors);
  imported.metadata = ReadMetadata(model.proto, opsets);
  ASSIGN_OR_RETURN(imported.graph, builder.Build(opsets, model));
  return imported;
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

absl::StatusOr<ImportedModel> ImportOnnxBytes(absl::string_view bytes, const std::string& folder,
                                              int64_t max_model_bytes, const OpRegistry& registry) {
  return Import(ViewSource(bytes), folder, max_model_bytes, registry);
}

absl::StatusOr<ImportedModel> ImportOnnx(const std::string& path, int64_t max_model_bytes,
                                         const OpRegistry& registry) {
  ASSIGN_OR_RETURN(std::shared_ptr<ByteSource> source, OpenFileSource(path));
  absl::StatusOr<ImportedModel> model =
      Import(std::move(source), FolderOf(path), max_model_bytes, registry);
  if (!model.ok()) return Annotate(model.status(), path);
  return model;
}

}  // namespace inferd
