#include "server/rpc/inflated_bytes.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

constexpr int kPieceBytes = 64 << 10;
// The header says whether it is gzip or zlib data.
constexpr int kAnyFormat = 32 + MAX_WBITS;

absl::Status NotWhole() {
  return absl::InvalidArgumentError(
      "the compressed request cannot be expanded: expected one whole piece of gzip or zlib data");
}

// zlib's state; used by one thread at a time.
class Inflater {
 public:
  explicit Inflater(google::protobuf::io::ZeroCopyInputStream* compressed)
      : compressed_(*compressed), ok_(inflateInit2(&state_, kAnyFormat) == Z_OK) {}
  ~Inflater() {
    if (ok_) inflateEnd(&state_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  bool ended() const { return ended_; }

  // The next bytes, kPieceBytes of them unless they are the last.
  absl::Status Next(std::string* piece) {
    if (!ok_) return absl::ResourceExhaustedError("no memory to expand the compressed request");
    piece->resize(kPieceBytes);
    state_.next_out = reinterpret_cast<Bytef*>(piece->data());
    state_.avail_out = kPieceBytes;
    while (!ended_ && state_.avail_out > 0) {
      if (state_.avail_in == 0 && !Refill()) return NotWhole();
      const int result = inflate(&state_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        ended_ = true;
      } else if (result != Z_OK) {
        return NotWhole();
      }
    }
    piece->resize(kPieceBytes - state_.avail_out);
    if (ended_ && (state_.avail_in > 0 || Refill())) return NotWhole();
    return absl::OkStatus();
  }

 private:
  bool Refill() {
    const void* data;
    int size = 0;
    while (size == 0) {
      if (!compressed_.Next(&data, &size)) return false;
    }
    state_.next_in = static_cast<Bytef*>(const_cast<void*>(data));
    state_.avail_in = static_cast<uInt>(size);
    return true;
  }

  google::protobuf::io::ZeroCopyInputStream& compressed_;
  z_stream state_ = {};
  const bool ok_;
  bool ended_ = false;
};

}  // namespace

absl::StatusOr<InflatedBytes> InflatedBytes::Inflate(
    google::protobuf::io::ZeroCopyInputStream* compressed, int64_t limit_bytes,
    InflightCharge* charge) {
  Inflater inflater(compressed);
  InflatedBytes bytes;
  while (!inflater.ended()) {
    std::string piece;
    RETURN_IF_ERROR(inflater.Next(&piece));
    const auto size = static_cast<int64_t>(piece.size());
    if (size > limit_bytes - bytes.size_) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "the compressed request expands to more than ", limit_bytes, " bytes, the limit"));
    }
    RETURN_IF_ERROR(charge->Add(size));
    bytes.size_ += size;
    bytes.pieces_.push_back(std::move(piece));
  }
  return bytes;
}

bool InflatedBytes::Stream::Next(const void** data, int* size) {
  while (piece_ < pieces_.size() && begin_ == pieces_[piece_].size()) {
    ++piece_;
    begin_ = 0;
  }
  if (piece_ == pieces_.size()) return false;
  const std::string& piece = pieces_[piece_];
  *data = piece.data() + begin_;
  *size = static_cast<int>(piece.size() - begin_);
  read_ += *size;
  begin_ = piece.size();
  return true;
}

void InflatedBytes::Stream::BackUp(int count) {
  // The piece that Next() gave last.
  begin_ -= static_cast<size_t>(count);
  read_ -= count;
}

bool InflatedBytes::Stream::Skip(int count) {
  const void* data;
  int size = 0;
  while (count > 0 && Next(&data, &size)) {
    if (size > count) BackUp(size - count);
    count -= std::min(size, count);
  }
  return count == 0;
}

}  // namespace inferd
