#include "server/http/content_coding.h"

#include <zlib.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

constexpr int64_t kFirstBytes = 64 << 10;
// zlib counts in unsigned int.
constexpr size_t kPieceBytes = size_t{1} << 30;
constexpr int kFastLevel = 1;
constexpr int kWindowBits = 15;
constexpr int kGzipWindow = kWindowBits + 16;
constexpr int kMemoryLevel = 8;

int WindowOf(ContentCoding coding) {
  return coding == ContentCoding::kGzip ? kGzipWindow : kWindowBits;
}

// A z_stream that is ended with its scope.
class Stream {
 public:
  explicit Stream(int (*end)(z_streamp)) : end_(end) {}
  ~Stream() { end_(&stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  z_stream* operator->() { return &stream_; }
  z_stream* get() { return &stream_; }

  // Gives zlib the next piece of `input`, once it has read the one before.
  void Feed(absl::string_view* input) {
    if (stream_.avail_in > 0 || input->empty()) return;
    const size_t piece = std::min(input->size(), kPieceBytes);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input->data()));
    stream_.avail_in = static_cast<uInt>(piece);
    input->remove_prefix(piece);
  }
  // Where zlib may write: `to` from `used` on.
  void Point(std::string* to, size_t used) {
    stream_.next_out = reinterpret_cast<Bytef*>(to->data() + used);
    stream_.avail_out = static_cast<uInt>(std::min(to->size() - used, kPieceBytes));
  }

 private:
  int (*const end_)(z_streamp);
  z_stream stream_ = {};
};

absl::Status Damaged(ContentCoding coding, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the body is not in the coding ",
                                                 ContentCodingName(coding), " that ",
                                                 "Content-Encoding names: ", what));
}

absl::Status TooLarge(int64_t max_bytes) {
  return absl::OutOfRangeError(
      absl::StrCat("the decompressed body has more than ", max_bytes, " bytes"));
}

absl::Status Grow(std::string* result, int64_t max_bytes, InflightCharge* charge) {
  const auto size = static_cast<int64_t>(result->size());
  // One byte more than may come shows that there are more.
  const int64_t next = std::min(max_bytes + 1, std::max(kFirstBytes, 2 * size));
  if (charge != nullptr) RETURN_IF_ERROR(charge->Add(next - size));
  result->resize(next);
  return absl::OkStatus();
}

// The quality that one entry of Accept-Encoding gives, 1 without "q=".
double QualityOf(absl::string_view parameters) {
  for (absl::string_view parameter : absl::StrSplit(parameters, ';')) {
    parameter = absl::StripAsciiWhitespace(parameter);
    double quality;
    if (absl::ConsumePrefix(&parameter, "q=") && absl::SimpleAtod(parameter, &quality)) {
      return quality;
    }
  }
  return 1;
}

}  // namespace

absl::string_view ContentCodingName(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::kGzip:
      return "gzip";
    case ContentCoding::kDeflate:
      return "deflate";
    default:
      return "identity";
  }
}

absl::StatusOr<ContentCoding> ParseContentEncoding(absl::string_view header) {
  const absl::string_view name = absl::StripAsciiWhitespace(header);
  if (name.empty() || absl::EqualsIgnoreCase(name, "identity")) return ContentCoding::kIdentity;
  if (absl::EqualsIgnoreCase(name, "gzip") || absl::EqualsIgnoreCase(name, "x-gzip")) {
    return ContentCoding::kGzip;
  }
  if (absl::EqualsIgnoreCase(name, "deflate")) return ContentCoding::kDeflate;
  return absl::UnimplementedError(absl::StrCat(
      "Content-Encoding: expected gzip, deflate or identity, got '", name.substr(0, 64), "'"));
}

ContentCoding ChooseCoding(absl::string_view header) {
  double gzip = 0, deflate = 0;
  for (const absl::string_view entry : absl::StrSplit(header, ',')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(entry, absl::MaxSplits(';', 1));
    const absl::string_view name = absl::StripAsciiWhitespace(parts.first);
    const double quality = QualityOf(parts.second);
    if (absl::EqualsIgnoreCase(name, "gzip")) gzip = quality;
    if (absl::EqualsIgnoreCase(name, "deflate")) deflate = quality;
  }
  if (gzip > 0 && gzip >= deflate) return ContentCoding::kGzip;
  return deflate > 0 ? ContentCoding::kDeflate : ContentCoding::kIdentity;
}

absl::StatusOr<std::string> Decompress(absl::string_view body, ContentCoding coding,
                                       int64_t max_bytes, InflightCharge* charge) {
  if (coding == ContentCoding::kIdentity) return std::string(body.data(), body.size());
  Stream stream(inflateEnd);
  if (inflateInit2(stream.get(), WindowOf(coding)) != Z_OK) {
    return absl::InternalError("zlib has no memory");
  }
  std::string result;
  size_t used = 0;
  while (true) {
    stream.Feed(&body);
    if (used == result.size()) RETURN_IF_ERROR(Grow(&result, max_bytes, charge));
    stream.Point(&result, used);
    const uInt room = stream->avail_out;
    const int code = inflate(stream.get(), Z_NO_FLUSH);
    used += room - stream->avail_out;
    if (used > static_cast<size_t>(max_bytes)) return TooLarge(max_bytes);
    const bool input_left = stream->avail_in > 0 || !body.empty();
    if (code == Z_STREAM_END) {
      if (!input_left) break;
      // gzip allows several members, one behind the other.
      if (coding != ContentCoding::kGzip) return Damaged(coding, "bytes follow its end");
      inflateReset(stream.get());
    } else if (code == Z_BUF_ERROR || (code == Z_OK && !input_left && stream->avail_out > 0)) {
      return Damaged(coding, "it ends too early");
    } else if (code != Z_OK) {
      return Damaged(coding, stream->msg != nullptr ? stream->msg : "its data are wrong");
    }
  }
  result.resize(used);
  return result;
}

absl::StatusOr<std::string> Compress(absl::string_view body, ContentCoding coding) {
  if (coding == ContentCoding::kIdentity) return std::string(body.data(), body.size());
  Stream stream(deflateEnd);
  if (deflateInit2(stream.get(), kFastLevel, Z_DEFLATED, WindowOf(coding), kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return absl::InternalError("zlib has no memory");
  }
  std::string result(deflateBound(stream.get(), body.size()), '\0');
  size_t used = 0;
  int code = Z_OK;
  while (code == Z_OK) {
    stream.Feed(&body);
    stream.Point(&result, used);
    const uInt room = stream->avail_out;
    code = deflate(stream.get(), body.empty() ? Z_FINISH : Z_NO_FLUSH);
    used += room - stream->avail_out;
  }
  if (code != Z_STREAM_END) return absl::InternalError("zlib could not compress the reply");
  result.resize(used);
  return result;
}

}  // namespace inferd
