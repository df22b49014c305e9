#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "server/tracing/trace_context.h"

namespace inferd {

// A finished span, as OpenTelemetry has them. A value type.
struct Span {
  using Value = std::variant<std::string, int64_t>;

  SpanContext context;
  SpanId parent{};  // zeros: none
  std::string state;
  std::string name;
  bool is_server = false;  // the side that answers a call; else internal
  absl::Time begin;
  absl::Time end;
  std::vector<std::pair<std::string, Value>> attributes;
  std::vector<std::pair<std::string, absl::Time>> events;
  std::vector<SpanContext> links;
  bool failed = false;
  std::string failure;  // the message, where it failed
};

}  // namespace inferd
