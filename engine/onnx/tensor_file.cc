#include "engine/onnx/tensor_file.h"

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/byte_source.h"
#include "engine/onnx/tensor_reader.h"
#include "onnx/onnx-data_pb.h"

namespace inferd {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{2} << 30;

absl::StatusOr<Tensor> ReadSequence(const ::onnx::SequenceProto& proto, TensorReader& tensors);

// The values of a map, which the file keeps as single tensors, as one tensor like its keys.
absl::StatusOr<Tensor> JoinScalars(const std::vector<Tensor>& scalars) {
  const DType dtype = scalars.empty() ? DType::kFloat32 : scalars[0].dtype();
  const Shape shape{static_cast<int64_t>(scalars.size())};
  ASSIGN_OR_RETURN(Tensor joined, Tensor::Allocate(dtype, shape));
  const int64_t width = ElementBytes(dtype);
  for (size_t i = 0; i < scalars.size(); ++i) {
    const Tensor& scalar = scalars[i];
    if (scalar.kind() != ValueKind::kTensor || scalar.dtype() != dtype ||
        scalar.num_elements() != 1) {
      return absl::UnimplementedError("a map's values must be single elements of one type");
    }
    if (dtype == DType::kString) {
      joined.mutable_data<std::string>()[i] = scalar.data<std::string>()[0];
    } else {
      std::memcpy(static_cast<char*>(joined.mutable_raw()) + i * width, scalar.raw(), width);
    }
  }
  return joined;
}

absl::StatusOr<Tensor> ReadMap(const ::onnx::MapProto& proto, TensorReader& tensors) {
  ::onnx::TensorProto keys;
  keys.set_name(proto.name());
  keys.set_data_type(proto.key_type());
  const bool is_string = proto.key_type() == ::onnx::TensorProto::STRING;
  keys.add_dims(is_string ? proto.string_keys_size() : proto.keys_size());
  *keys.mutable_string_data() = proto.string_keys();
  // Integer keys of every width are stored as int64.
  if (!is_string) keys.set_data_type(::onnx::TensorProto::INT64);
  *keys.mutable_int64_data() = proto.keys();
  ASSIGN_OR_RETURN(Tensor key_tensor, tensors.Read(keys));
  ASSIGN_OR_RETURN(const Tensor values, ReadSequence(proto.values(), tensors));
  ASSIGN_OR_RETURN(Tensor value_tensor, JoinScalars(values.elements()));
  return Tensor::Map(std::move(key_tensor), std::move(value_tensor));
}

absl::StatusOr<Tensor> ReadOptional(const ::onnx::OptionalProto& proto, TensorReader& tensors) {
  absl::StatusOr<Tensor> value;
  switch (proto.elem_type()) {
    case ::onnx::OptionalProto::TENSOR:
      if (!proto.has_tensor_value()) return Tensor::Optional({});
      value = tensors.Read(proto.tensor_value());
      break;
    case ::onnx::OptionalProto::SEQUENCE:
      if (!proto.has_sequence_value()) return Tensor::Optional({});
      value = ReadSequence(proto.sequence_value(), tensors);
      break;
    case ::onnx::OptionalProto::MAP:
      if (!proto.has_map_value()) return Tensor::Optional({});
      value = ReadMap(proto.map_value(), tensors);
      break;
    case ::onnx::OptionalProto::OPTIONAL:
      if (!proto.has_optional_value()) return Tensor::Optional({});
      value = ReadOptional(proto.optional_value(), tensors);
      break;
    case ::onnx::OptionalProto::UNDEFINED:
      return Tensor::Optional({});
    default:
      return absl::UnimplementedError("an optional of a sparse tensor is not supported");
  }
  if (!value.ok()) return value.status();
  return Tensor::Optional({*std::move(value)});
}

absl::StatusOr<Tensor> ReadSequence(const ::onnx::SequenceProto& proto, TensorReader& tensors) {
  std::vector<Tensor> elements;
  const auto add_all = [&](const auto& protos, auto read) -> absl::Status {
    for (const auto& element : protos) {
      ASSIGN_OR_RETURN(Tensor tensor, read(element));
      elements.push_back(std::move(tensor));
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(
      add_all(proto.tensor_values(), [&](const auto& element) { return tensors.Read(element); }));
  RETURN_IF_ERROR(add_all(proto.sparse_tensor_values(),
                          [&](const auto& element) { return tensors.ReadSparse(element); }));
  RETURN_IF_ERROR(add_all(proto.sequence_values(),
                          [&](const auto& element) { return ReadSequence(element, tensors); }));
  RETURN_IF_ERROR(
      add_all(proto.map_values(), [&](const auto& element) { return ReadMap(element, tensors); }));
  RETURN_IF_ERROR(add_all(proto.optional_values(),
                          [&](const auto& element) { return ReadOptional(element, tensors); }));
  return Tensor::Sequence(std::move(elements));
}

template <typename Proto>
absl::StatusOr<Proto> ReadProto(const std::string& path) {
  ASSIGN_OR_RETURN(const std::shared_ptr<ByteSource> source, OpenFileSource(path));
  if (source->size() >= kMaxFileBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("it has ", source->size(), " bytes"));
  }
  Proto proto;
  if (!proto.ParseFromZeroCopyStream(source->Stream().get())) {
    return absl::InvalidArgumentError(
        absl::StrCat("the protobuf is malformed; expected a ", Proto::descriptor()->name()));
  }
  return proto;
}

absl::StatusOr<Tensor> Read(const std::string& path, ValueKind kind, TensorReader& tensors) {
  switch (kind) {
    case ValueKind::kTensor: {
      ASSIGN_OR_RETURN(const auto proto, ReadProto<::onnx::TensorProto>(path));
      return tensors.Read(proto);
    }
    case ValueKind::kSequence: {
      ASSIGN_OR_RETURN(const auto proto, ReadProto<::onnx::SequenceProto>(path));
      return ReadSequence(proto, tensors);
    }
    case ValueKind::kOptional: {
      ASSIGN_OR_RETURN(const auto proto, ReadProto<::onnx::OptionalProto>(path));
      return ReadOptional(proto, tensors);
    }
    case ValueKind::kMap: {
      ASSIGN_OR_RETURN(const auto proto, ReadProto<::onnx::MapProto>(path));
      return ReadMap(proto, tensors);
    }
  }
  return absl::InvalidArgumentError("unknown kind of value");
}

}  // namespace

absl::StatusOr<Tensor> ReadTensorFile(const std::string& path, ValueKind kind) {
  TensorReader tensors(nullptr, "", 2 * kMaxFileBytes);
  absl::StatusOr<Tensor> tensor = Read(path, kind, tensors);
  if (!tensor.ok()) return Annotate(tensor.status(), path);
  return tensor;
}

}  // namespace inferd
