#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace inferd {

using TraceId = std::array<uint8_t, 16>;
using SpanId = std::array<uint8_t, 8>;

// One span, seen from elsewhere: what W3C's traceparent header carries. A value type.
struct SpanContext {
  TraceId trace{};
  SpanId span{};
  bool sampled = false;
};

// Reads a traceparent header; none for what W3C Trace Context calls invalid, such as ids of zeros.
std::optional<SpanContext> ParseTraceParent(absl::string_view header);
// The header that names `context` to others.
std::string TraceParentText(const SpanContext& context);

// A tracestate header is passed on up to this length, and dropped beyond it.
inline constexpr size_t kMaxTraceStateBytes = 512;

// Random ids, never zero.
TraceId NewTraceId();
SpanId NewSpanId();

}  // namespace inferd
