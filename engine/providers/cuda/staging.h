#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"

namespace inferd::cuda {

// Page-locked host memory. Null when there is none left.
std::shared_ptr<std::byte> AllocatePinned(int64_t bytes);

// What goes from ordinary host memory to a device on one stream: through a ring of page-locked
// pieces, each used again when its copy is done, so that copies and the caller go on side by side.
// Pieces are made when they are first needed.
// Used by one thread at a time.
class UploadRing {
 public:
  static absl::StatusOr<std::unique_ptr<UploadRing>> Make();
  ~UploadRing();

  // `from` may change when it returns.
  absl::Status Copy(void* to, const void* from, int64_t bytes, cudaStream_t stream);
  // After the stream was waited for: begins with the first piece again.
  void Restart();

 private:
  static constexpr int kPieces = 16;
  static constexpr int64_t kPieceBytes = int64_t{256} << 10;

  // Copies up to the end of a piece share its event.
  struct Piece {
    std::shared_ptr<std::byte> memory;
    cudaEvent_t done = nullptr;
    bool used = false;
  };

  UploadRing() = default;
  absl::Status NextPiece(cudaStream_t stream);
  absl::Status AllocatePiece();

  Piece pieces_[kPieces];
  int piece_ = 0;
  int64_t filled_ = 0;  // of the present piece
};

// What goes from a device to ordinary host memory on one stream: copies land in page-locked memory
// and are passed on when the stream is done. Used by one thread at a time.
class DownloadBuffer {
 public:
  // `to` holds the bytes after Deliver. May itself wait and deliver what came before.
  absl::Status Copy(void* to, const void* from, int64_t bytes, cudaStream_t stream);
  // After the stream was waited for.
  void Deliver();

 private:
  static constexpr int64_t kLeastBytes = int64_t{256} << 10;
  // Larger values are copied straight to where they belong, which waits.
  static constexpr int64_t kMostBytes = int64_t{64} << 20;

  struct Landed {
    void* to;
    int64_t offset;
    int64_t bytes;
  };

  std::shared_ptr<std::byte> memory_;
  int64_t capacity_ = 0;
  int64_t filled_ = 0;
  std::vector<Landed> landed_;
};

}  // namespace inferd::cuda
