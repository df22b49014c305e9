#include "server/rest/proto_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <charconv>
#include <cmath>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/http/http_message.h"

namespace inferd {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;

constexpr char kBareValue[] = "parameter_choice";

void AppendReal(double value, std::string* out) {
  if (!std::isfinite(value)) {
    // As text: JSON has no number for them.
    AppendJsonString(std::isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity", out);
    return;
  }
  char text[64];
  const std::to_chars_result result = std::to_chars(text, text + sizeof(text), value);
  out->append(text, result.ptr - text);
}

void AppendText(const FieldDescriptor& field, const std::string& text, std::string* out) {
  if (field.type() == FieldDescriptor::TYPE_BYTES) {
    AppendJsonString(absl::Base64Escape(text), out);
  } else {
    AppendJsonString(text, out);
  }
}

// A singular field, or the entry `index` of a repeated one.
class FieldValue {
 public:
  FieldValue(const Message& message, const FieldDescriptor& field, int index)
      : message_(message), reflection_(*message.GetReflection()), field_(field), index_(index) {}

  void Append(std::string* out) const {
    switch (field_.cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        out->append(Get(&Reflection::GetBool, &Reflection::GetRepeatedBool) ? "true" : "false");
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        absl::StrAppend(out, Get(&Reflection::GetInt32, &Reflection::GetRepeatedInt32));
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        absl::StrAppend(out, Get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64));
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        absl::StrAppend(out, Get(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32));
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        absl::StrAppend(out, Get(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64));
        break;
      case FieldDescriptor::CPPTYPE_FLOAT:
        AppendReal(Get(&Reflection::GetFloat, &Reflection::GetRepeatedFloat), out);
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        AppendReal(Get(&Reflection::GetDouble, &Reflection::GetRepeatedDouble), out);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        AppendJsonString(Get(&Reflection::GetEnum, &Reflection::GetRepeatedEnum)->name(), out);
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        AppendText(field_, Get(&Reflection::GetString, &Reflection::GetRepeatedString), out);
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        AppendProtoJson(index_ < 0 ? reflection_.GetMessage(message_, &field_)
                                   : reflection_.GetRepeatedMessage(message_, &field_, index_),
                        out);
        break;
    }
  }

 private:
  template <typename Value>
  Value Get(Value (Reflection::*one)(const Message&, const FieldDescriptor*) const,
            Value (Reflection::*entry)(const Message&, const FieldDescriptor*, int) const) const {
    return index_ < 0 ? (reflection_.*one)(message_, &field_)
                      : (reflection_.*entry)(message_, &field_, index_);
  }

  const Message& message_;
  const Reflection& reflection_;
  const FieldDescriptor& field_;
  const int index_;  // -1 = singular
};

// A map's entry is a message of its key and its value.
void AppendMapEntry(const Message& entry, std::string* out) {
  const FieldDescriptor& key = *entry.GetDescriptor()->map_key();
  std::string name;
  FieldValue(entry, key, -1).Append(&name);
  if (key.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    out->append(name);
  } else {
    absl::StrAppend(out, "\"", name, "\"");
  }
  out->push_back(':');
  FieldValue(entry, *entry.GetDescriptor()->map_value(), -1).Append(out);
}

void AppendRepeated(const Message& message, const FieldDescriptor& field, std::string* out) {
  const Reflection& reflection = *message.GetReflection();
  const bool is_map = field.is_map();
  out->push_back(is_map ? '{' : '[');
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    if (i > 0) out->push_back(',');
    if (is_map) {
      AppendMapEntry(reflection.GetRepeatedMessage(message, &field, i), out);
    } else {
      FieldValue(message, field, i).Append(out);
    }
  }
  out->push_back(is_map ? '}' : ']');
}

}  // namespace

void AppendProtoJson(const Message& message, std::string* out) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  const Reflection& reflection = *message.GetReflection();
  if (const OneofDescriptor* bare = type.FindOneofByName(kBareValue)) {
    const FieldDescriptor* field = reflection.GetOneofFieldDescriptor(message, bare);
    if (field == nullptr) {
      out->append("null");
    } else {
      FieldValue(message, *field, -1).Append(out);
    }
    return;
  }
  out->push_back('{');
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.has_presence() && !reflection.HasField(message, &field)) continue;
    if (out->back() != '{') out->push_back(',');
    AppendJsonString(field.name(), out);
    out->push_back(':');
    if (field.is_repeated()) {
      AppendRepeated(message, field, out);
    } else {
      FieldValue(message, field, -1).Append(out);
    }
  }
  out->push_back('}');
}

std::string ProtoJson(const Message& message) {
  std::string out;
  AppendProtoJson(message, &out);
  return out;
}

}  // namespace inferd
