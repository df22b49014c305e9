#include "engine/onnx/function_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/name_text.h"
#include "google/protobuf/unknown_field_set.h"

namespace inferd {
namespace {

// Fields of newer versions of onnx.proto.
constexpr int kNodeOverload = 8;
constexpr int kFunctionAttributeProto = 11;
constexpr int kFunctionOverload = 13;

template <typename Visit>
void VisitUnknown(const google::protobuf::UnknownFieldSet& fields, int number, Visit visit) {
  for (int i = 0; i < fields.field_count(); ++i) {
    const auto& field = fields.field(i);
    if (field.number() == number &&
        field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) {
      visit(field.length_delimited());
    }
  }
}

std::string UnknownString(const google::protobuf::UnknownFieldSet& fields, int number) {
  std::string result;
  VisitUnknown(fields, number, [&](const std::string& bytes) { result = bytes; });
  return result;
}

absl::StatusOr<ModelFunction> ReadFunction(const ::onnx::FunctionProto& proto) {
  ModelFunction function;
  function.proto = &proto;
  ASSIGN_OR_RETURN(function.opsets, OpsetVersions::Read(proto.opset_import()));
  bool parsed = true;
  VisitUnknown(proto.unknown_fields(), kFunctionAttributeProto, [&](const std::string& bytes) {
    ::onnx::AttributeProto attribute;
    parsed = parsed && attribute.ParseFromString(bytes);
    function.defaults[attribute.name()] = std::move(attribute);
  });
  if (!parsed) return absl::InvalidArgumentError("an attribute_proto is malformed");
  return function;
}

}  // namespace

std::string OverloadOf(const ::onnx::NodeProto& node) {
  return UnknownString(node.unknown_fields(), kNodeOverload);
}

absl::StatusOr<FunctionTable> FunctionTable::Read(const ::onnx::ModelProto& model) {
  FunctionTable table;
  for (const auto& proto : model.functions()) {
    const std::string where = absl::StrCat("function ", NameText(proto.name()), " of domain ",
                                           NameText(DomainText(proto.domain())));
    absl::StatusOr<ModelFunction> function = ReadFunction(proto);
    if (!function.ok()) return Annotate(function.status(), where);
    auto key = std::make_tuple(std::string(CanonicalDomain(proto.domain())), proto.name(),
                               UnknownString(proto.unknown_fields(), kFunctionOverload));
    if (!table.functions_.emplace(std::move(key), *std::move(function)).second) {
      return absl::InvalidArgumentError(absl::StrCat(where, " is defined twice"));
    }
  }
  return table;
}

const ModelFunction* FunctionTable::Find(const ::onnx::NodeProto& node) const {
  if (functions_.empty()) return nullptr;
  const auto it = functions_.find(std::make_tuple(std::string(CanonicalDomain(node.domain())),
                                                  node.op_type(), OverloadOf(node)));
  return it == functions_.end() ? nullptr : &it->second;
}

}  // namespace inferd
