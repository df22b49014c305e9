#pragma once

#include <string>

namespace google::protobuf {
class Message;
}

namespace inferd {

// Appends a message as JSON in the way of the protocol's REST form: names as in the .proto file,
// 64-bit numbers as numbers, enums by name, bytes as base64, every field that cannot be unset
// whatever its value. A message whose only field is the oneof parameter_choice is that value.
void AppendProtoJson(const google::protobuf::Message& message, std::string* out);
std::string ProtoJson(const google::protobuf::Message& message);

}  // namespace inferd
