#include "server/metrics/access_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "server/metrics/log.h"

namespace inferd {
namespace {

// Clients choose ids and names: so much of them is enough.
constexpr size_t kMaxTextBytes = 128;

// Cut between characters, so that the line stays UTF-8.
absl::string_view Cut(const std::string& text) {
  size_t end = std::min(text.size(), kMaxTextBytes);
  while (end > 0 && end < text.size() && (text[end] & 0xc0) == 0x80) --end;
  return absl::string_view(text).substr(0, end);
}

}  // namespace

std::optional<AccessRecord> AccessLog::Begin(AccessLog* log, const char* method,
                                             int64_t request_bytes, absl::Time received) {
  if (log == nullptr || !log->Sample()) return std::nullopt;
  AccessRecord record;
  record.method = method;
  record.request_bytes = request_bytes;
  record.received = received;
  return record;
}

void AccessLog::End(absl::StatusCode code, int64_t reply_bytes, AccessRecord record) {
  record.code = code;
  record.reply_bytes = reply_bytes;
  record.latency = absl::Now() - record.received;
  Write(record);
}

void AccessLog::Write(const AccessRecord& record) {
  const std::string code = absl::StatusCodeToString(record.code);
  const LogField fields[] = {
      {"method", record.method},
      {"id", Cut(record.request_id)},
      {"model", Cut(record.model)},
      {"version", Cut(record.version)},
      {"code", code},
      {"latency_us", absl::ToInt64Microseconds(record.latency)},
      {"queue_us", absl::ToInt64Microseconds(record.queue)},
      {"compute_us", absl::ToInt64Microseconds(record.compute)},
      {"batch_rows", record.batch_rows},
      {"request_bytes", record.request_bytes},
      {"reply_bytes", record.reply_bytes},
      {"peer", record.peer},
  };
  LogInfo("access", fields);
}

}  // namespace inferd
