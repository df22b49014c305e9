#include "server/tracing/trace_context.h"

#include <sys/random.h>

#include <algorithm>
#include <random>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

// "VV-" + 32 digits + "-" + 16 digits + "-" + "FF"
constexpr size_t kHeaderBytes = 55;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  // Capital digits are invalid here.
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool ReadHex(absl::string_view text, uint8_t* bytes) {
  for (size_t i = 0; i < text.size() / 2; ++i) {
    const int high = HexDigit(text[2 * i]);
    const int low = HexDigit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return true;
}

template <typename Id>
bool IsZero(const Id& id) {
  return std::all_of(id.begin(), id.end(), [](uint8_t byte) { return byte == 0; });
}

template <typename Id>
std::string HexText(const Id& id) {
  return absl::BytesToHexString({reinterpret_cast<const char*>(id.data()), id.size()});
}

template <typename Id>
Id RandomId() {
  Id id{};
  while (IsZero(id)) {
    if (getentropy(id.data(), id.size()) == 0) continue;
    // Where the system call is forbidden.
    std::random_device device;
    for (uint8_t& byte : id) byte = static_cast<uint8_t>(device());
  }
  return id;
}

}  // namespace

std::optional<SpanContext> ParseTraceParent(absl::string_view header) {
  if (header.size() < kHeaderBytes || header[2] != '-' || header[35] != '-' || header[52] != '-') {
    return std::nullopt;
  }
  uint8_t version;
  uint8_t flags;
  SpanContext context;
  if (!ReadHex(header.substr(0, 2), &version) || version == 0xff ||
      !ReadHex(header.substr(3, 32), context.trace.data()) ||
      !ReadHex(header.substr(36, 16), context.span.data()) ||
      !ReadHex(header.substr(53, 2), &flags) || IsZero(context.trace) || IsZero(context.span)) {
    return std::nullopt;
  }
  // Later versions may append fields.
  const bool ends = header.size() == kHeaderBytes;
  if (!ends && (version == 0 || header[kHeaderBytes] != '-')) return std::nullopt;
  context.sampled = (flags & 1) != 0;
  return context;
}

std::string TraceParentText(const SpanContext& context) {
  return absl::StrCat("00-", HexText(context.trace), "-", HexText(context.span), "-",
                      context.sampled ? "01" : "00");
}

TraceId NewTraceId() { return RandomId<TraceId>(); }
SpanId NewSpanId() { return RandomId<SpanId>(); }

}  // namespace inferd
