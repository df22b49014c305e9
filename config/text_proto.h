#pragma once

#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace inferd {

// Parses protobuf text format into `message`. INVALID_ARGUMENT with `what`, line and column for
// text that does not parse or names unknown fields. When `set_fields` is not null, it gets the
// names of the singular top-level fields that the text sets, were it to their default.
absl::Status ParseTextProto(absl::string_view text, absl::string_view what,
                            google::protobuf::Message* message,
                            std::set<std::string>* set_fields = nullptr);

}  // namespace inferd
