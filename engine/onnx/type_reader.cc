#include "engine/onnx/type_reader.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

constexpr int kMaxDepth = 16;
constexpr int kMaxRank = 64;
// Sizes above this are no tensor's: Shape's own limit on elements.
constexpr int64_t kMaxDim = int64_t{1} << 48;

absl::StatusOr<DType> ReadElementType(int32_t code) {
  if (code == 0) return DType::kInvalid;
  if (!IsKnownDType(code)) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown element type ", code, "; known are 1 (float) to 26 (int2)"));
  }
  return static_cast<DType>(code);
}

absl::StatusOr<ValueType> ReadTensorType(const ::onnx::TypeProto::Tensor& proto, Graph& graph) {
  ASSIGN_OR_RETURN(const DType dtype, ReadElementType(proto.elem_type()));
  if (!proto.has_shape()) return ValueType::OfTensor(dtype, SymbolicShape::UnknownRank());
  if (proto.shape().dim_size() > kMaxRank) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", proto.shape().dim_size(), " dimensions; the limit is ", kMaxRank));
  }
  std::vector<Dim> dims;
  for (const auto& dim : proto.shape().dim()) {
    if (dim.has_dim_value() && dim.dim_value() > kMaxDim) {
      return absl::InvalidArgumentError(
          absl::StrCat("dimension ", dims.size(), " has size ", dim.dim_value()));
    }
    if (dim.has_dim_value() && dim.dim_value() >= 0) {
      dims.emplace_back(dim.dim_value());
    } else if (!dim.dim_param().empty() && dim.dim_param() != "?" && dim.dim_param()[0] >= ' ') {
      // "?" is how some exporters write every unknown dimension: it names nothing. Names that start
      // with a control character are those of passes/symbol_table.
      dims.push_back(Dim::Symbol(graph.SymbolId(dim.dim_param())));
    } else {
      dims.push_back(Dim::Unknown());
    }
  }
  return ValueType::OfTensor(dtype, SymbolicShape(std::move(dims)));
}

absl::StatusOr<ValueType> ReadTypeAt(const ::onnx::TypeProto& proto, Graph& graph, int depth) {
  if (depth > kMaxDepth) {
    return absl::InvalidArgumentError(absl::StrCat("its type nests deeper than ", kMaxDepth));
  }
  switch (proto.value_case()) {
    case ::onnx::TypeProto::kTensorType:
      return ReadTensorType(proto.tensor_type(), graph);
    case ::onnx::TypeProto::kSequenceType: {
      ASSIGN_OR_RETURN(ValueType element,
                       ReadTypeAt(proto.sequence_type().elem_type(), graph, depth + 1));
      return ValueType::OfSequence(std::move(element));
    }
    case ::onnx::TypeProto::kOptionalType: {
      ASSIGN_OR_RETURN(ValueType element,
                       ReadTypeAt(proto.optional_type().elem_type(), graph, depth + 1));
      return ValueType::OfOptional(std::move(element));
    }
    case ::onnx::TypeProto::kMapType: {
      ASSIGN_OR_RETURN(const DType key, ReadElementType(proto.map_type().key_type()));
      ASSIGN_OR_RETURN(ValueType value,
                       ReadTypeAt(proto.map_type().value_type(), graph, depth + 1));
      return ValueType::OfMap(key, std::move(value));
    }
    case ::onnx::TypeProto::VALUE_NOT_SET:
      return ValueType();
    default:
      return absl::UnimplementedError(
          "its type is sparse or opaque; supported are tensor, sequence, optional and map");
  }
}

}  // namespace

absl::StatusOr<ValueType> ReadType(const ::onnx::TypeProto& proto, Graph& graph) {
  return ReadTypeAt(proto, graph, 0);
}

ValueType TranslateSymbols(const ValueType& type, const Graph& from, Graph& to) {
  ValueType result = type;
  for (Dim& dim : result.shape.mutable_dims()) {
    if (dim.symbol >= 0) dim = Dim::Symbol(to.SymbolId(from.symbols()[dim.symbol]));
  }
  if (type.element != nullptr) {
    result.element = std::make_shared<const ValueType>(TranslateSymbols(*type.element, from, to));
  }
  return result;
}

}  // namespace inferd
