#include "engine/onnx/attribute_reader.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/name_text.h"
#include "engine/onnx/type_reader.h"

namespace inferd {

absl::StatusOr<const ::onnx::AttributeProto*> ResolveAttribute(const ::onnx::AttributeProto& proto,
                                                               const AttributeScope* scope) {
  if (proto.ref_attr_name().empty()) return &proto;
  if (scope == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        "attribute ", NameText(proto.name()), " refers to attribute ",
        NameText(proto.ref_attr_name()), " of a function, but the node is in no function"));
  }
  const auto it = scope->find(proto.ref_attr_name());
  return it == scope->end() ? nullptr : &it->second;
}

::onnx::AttributeProto::AttributeType TypeOfAttribute(const ::onnx::AttributeProto& proto) {
  using A = ::onnx::AttributeProto;
  if (proto.type() != A::UNDEFINED) return proto.type();
  if (proto.has_f()) return A::FLOAT;
  if (proto.has_i()) return A::INT;
  if (proto.has_s()) return A::STRING;
  if (proto.has_t()) return A::TENSOR;
  if (proto.has_g()) return A::GRAPH;
  if (proto.has_sparse_tensor()) return A::SPARSE_TENSOR;
  if (proto.has_tp()) return A::TYPE_PROTO;
  if (proto.floats_size() > 0) return A::FLOATS;
  if (proto.ints_size() > 0) return A::INTS;
  if (proto.strings_size() > 0) return A::STRINGS;
  if (proto.tensors_size() > 0) return A::TENSORS;
  return A::UNDEFINED;
}

absl::StatusOr<Attributes::Value> ReadAttribute(const ::onnx::AttributeProto& proto,
                                                TensorReader& tensors) {
  using A = ::onnx::AttributeProto;
  using Value = Attributes::Value;
  switch (TypeOfAttribute(proto)) {
    case A::FLOAT:
      return Value(proto.f());
    case A::INT:
      return Value(static_cast<int64_t>(proto.i()));
    case A::STRING:
      return Value(proto.s());
    case A::FLOATS:
      return Value(std::vector<float>(proto.floats().begin(), proto.floats().end()));
    case A::INTS:
      return Value(std::vector<int64_t>(proto.ints().begin(), proto.ints().end()));
    case A::STRINGS:
      return Value(std::vector<std::string>(proto.strings().begin(), proto.strings().end()));
    case A::TENSOR: {
      ASSIGN_OR_RETURN(Tensor tensor, tensors.Read(proto.t()));
      return Value(std::move(tensor));
    }
    case A::SPARSE_TENSOR: {
      ASSIGN_OR_RETURN(Tensor tensor, tensors.ReadSparse(proto.sparse_tensor()));
      return Value(std::move(tensor));
    }
    case A::TENSORS: {
      std::vector<Tensor> list;
      for (const auto& item : proto.tensors()) {
        ASSIGN_OR_RETURN(Tensor tensor, tensors.Read(item));
        list.push_back(std::move(tensor));
      }
      return Value(std::move(list));
    }
    case A::TYPE_PROTO: {
      Graph scratch;
      ASSIGN_OR_RETURN(const ValueType type, ReadType(proto.tp(), scratch));
      return Value(type.ToString());
    }
    default:
      return absl::InvalidArgumentError(absl::StrCat(
          "attribute ", NameText(proto.name()), " has no value of a type supported here (type ",
          static_cast<int>(proto.type()), ")"));
  }
}

}  // namespace inferd
