#include "engine/providers/cuda/staging.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/providers/cuda/cuda_status.h"

namespace inferd::cuda {
namespace {

// Pieces begin at addresses that every copy engine likes.
constexpr int64_t kAlignment = 256;

int64_t Aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

std::shared_ptr<std::byte> AllocatePinned(int64_t bytes) {
  void* data = nullptr;
  if (cudaHostAlloc(&data, bytes, cudaHostAllocPortable) != cudaSuccess) {
    cudaGetLastError();
    return nullptr;
  }
  return std::shared_ptr<std::byte>(static_cast<std::byte*>(data),
                                    [](std::byte* memory) { cudaFreeHost(memory); });
}

absl::StatusOr<std::unique_ptr<UploadRing>> UploadRing::Make() {
  std::unique_ptr<UploadRing> ring(new UploadRing());
  constexpr unsigned kFlags = cudaEventBlockingSync | cudaEventDisableTiming;
  for (Piece& piece : ring->pieces_) {
    RETURN_IF_ERROR(ToStatus(cudaEventCreateWithFlags(&piece.done, kFlags), "an event"));
  }
  return ring;
}

UploadRing::~UploadRing() {
  for (Piece& piece : pieces_) {
    if (piece.done != nullptr) cudaEventDestroy(piece.done);
  }
}

absl::Status UploadRing::NextPiece(cudaStream_t stream) {
  RETURN_IF_ERROR(ToStatus(cudaEventRecord(pieces_[piece_].done, stream), "an event"));
  pieces_[piece_].used = true;
  piece_ = (piece_ + 1) % kPieces;
  filled_ = 0;
  if (!pieces_[piece_].used) return absl::OkStatus();
  return ToStatus(cudaEventSynchronize(pieces_[piece_].done), "an earlier upload");
}

void UploadRing::Restart() {
  for (Piece& piece : pieces_) piece.used = false;
  piece_ = 0;
  filled_ = 0;
}

absl::Status UploadRing::AllocatePiece() {
  Piece& piece = pieces_[piece_];
  if (piece.memory == nullptr) piece.memory = AllocatePinned(kPieceBytes);
  if (piece.memory != nullptr) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("no page-locked memory for ", kPieceBytes, " bytes"));
}

absl::Status UploadRing::Copy(void* to, const void* from, int64_t bytes, cudaStream_t stream) {
  auto* target = static_cast<std::byte*>(to);
  auto* source = static_cast<const std::byte*>(from);
  while (bytes > 0) {
    if (filled_ == kPieceBytes) RETURN_IF_ERROR(NextPiece(stream));
    const int64_t part = std::min(bytes, kPieceBytes - filled_);
    RETURN_IF_ERROR(AllocatePiece());
    std::byte* staged = pieces_[piece_].memory.get() + filled_;
    std::memcpy(staged, source, part);
    RETURN_IF_ERROR(ToStatus(cudaMemcpyAsync(target, staged, part, cudaMemcpyHostToDevice, stream),
                             "an upload"));
    filled_ = std::min(Aligned(filled_ + part), kPieceBytes);
    target += part;
    source += part;
    bytes -= part;
  }
  return absl::OkStatus();
}

absl::Status DownloadBuffer::Copy(void* to, const void* from, int64_t bytes, cudaStream_t stream) {
  if (bytes > kMostBytes) {
    RETURN_IF_ERROR(
        ToStatus(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream), "a download"));
    return ToStatus(cudaStreamSynchronize(stream), "a download");
  }
  if (filled_ + bytes > capacity_) {
    RETURN_IF_ERROR(ToStatus(cudaStreamSynchronize(stream), "a download"));
    Deliver();
  }
  if (bytes > capacity_) {
    const int64_t wanted = std::max(kLeastBytes, Aligned(2 * bytes));
    memory_ = AllocatePinned(wanted);
    capacity_ = memory_ == nullptr ? 0 : wanted;
    if (memory_ == nullptr) {
      return absl::ResourceExhaustedError(
          absl::StrCat("no page-locked memory for ", wanted, " bytes"));
    }
  }
  RETURN_IF_ERROR(ToStatus(
      cudaMemcpyAsync(memory_.get() + filled_, from, bytes, cudaMemcpyDeviceToHost, stream),
      "a download"));
  landed_.push_back({to, filled_, bytes});
  filled_ = std::min(Aligned(filled_ + bytes), capacity_);
  return absl::OkStatus();
}

void DownloadBuffer::Deliver() {
  for (const Landed& landed : landed_) {
    std::memcpy(landed.to, memory_.get() + landed.offset, landed.bytes);
  }
  landed_.clear();
  filled_ = 0;
}

}  // namespace inferd::cuda
