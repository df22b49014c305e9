#include "engine/core/recoverable_bytes.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/pages.h"

namespace inferd {

absl::StatusOr<std::shared_ptr<RecoverableBytes>> RecoverableBytes::Make(
    std::shared_ptr<RecoverySet> set, int64_t size, std::string origin, Fill fill) {
  void* address = mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) {
    return absl::ResourceExhaustedError(absl::StrCat("out of memory for ", size, " bytes"));
  }
  RecoverySet& owner = *set;
  std::shared_ptr<RecoverableBytes> made(
      new RecoverableBytes(std::move(set), address, size, std::move(origin), std::move(fill)));
  owner.Add(made);
  return made;
}

RecoverableBytes::RecoverableBytes(std::shared_ptr<RecoverySet> set, void* address, int64_t size,
                                   std::string origin, Fill fill)
    : set_(std::move(set)),
      address_(address),
      size_(size),
      origin_(std::move(origin)),
      fill_(std::move(fill)) {}

RecoverableBytes::~RecoverableBytes() {
  if (resident_.load()) set_->resident_bytes_ -= size_;
  munmap(address_, static_cast<size_t>(size_));
}

void RecoverableBytes::Recover() {
  MutexLock lock(&mutex_);
  if (resident_.load(std::memory_order_relaxed)) return;
  ProvidePages(address_, size_);
  if (const absl::Status filled = fill_(address_); !filled.ok()) {
    madvise(address_, static_cast<size_t>(size_), MADV_DONTNEED);
    set_->NoteFailure(filled);
  }
  set_->resident_bytes_ += size_;
  resident_.store(true, std::memory_order_release);
}

std::shared_ptr<const void> RecoverableBytes::Pin() {
  {
    MutexLock lock(&mutex_);
    ++pins_;
  }
  Load();
  return std::shared_ptr<const void>(address_,
                                     [self = shared_from_this()](const void*) { self->Unpin(); });
}

void RecoverableBytes::Unpin() {
  {
    MutexLock lock(&mutex_);
    if (--pins_ > 0) return;
  }
  set_->ReleaseUnderReadings(*this, 0);
}

absl::Status RecoverableBytes::CopyTo(void* to) const {
  {
    // Under the lock nobody takes the bytes away.
    MutexLock lock(&mutex_);
    if (resident_.load(std::memory_order_relaxed)) {
      std::memcpy(to, address_, static_cast<size_t>(size_));
      return absl::OkStatus();
    }
  }
  return fill_(to);
}

void RecoverableBytes::Release() { set_->ReleaseUnderReadings(*this, 1); }

void RecoverableBytes::ReleaseIfUnpinned() {
  MutexLock lock(&mutex_);
  if (pins_ > 0 || !resident_.load(std::memory_order_relaxed)) return;
  resident_.store(false, std::memory_order_release);
  madvise(address_, static_cast<size_t>(size_), MADV_DONTNEED);
  set_->resident_bytes_ -= size_;
}

RecoverySet::Reading::Reading(RecoverySet& set) : set_(set) {
  MutexLock lock(&set_.mutex_);
  if (set_.readings_++ > 0) return;
  MutexLock failure_lock(&set_.failure_mutex_);
  set_.failure_ = absl::OkStatus();
}

RecoverySet::Reading::~Reading() {
  // The last owner of a member may go meanwhile: it is then destroyed here, without the lock.
  std::vector<std::shared_ptr<RecoverableBytes>> alive;
  MutexLock lock(&set_.mutex_);
  if (--set_.readings_ > 0) return;
  std::erase_if(set_.members_, [&](const std::weak_ptr<RecoverableBytes>& member) {
    alive.push_back(member.lock());
    if (alive.back() != nullptr) alive.back()->ReleaseIfUnpinned();
    return alive.back() == nullptr;
  });
}

absl::Status RecoverySet::Reading::status() const {
  MutexLock lock(&set_.failure_mutex_);
  return set_.failure_;
}

void RecoverySet::Add(const std::shared_ptr<RecoverableBytes>& member) {
  MutexLock lock(&mutex_);
  members_.push_back(member);
}

void RecoverySet::ReleaseUnderReadings(RecoverableBytes& member, int readings) {
  MutexLock lock(&mutex_);
  if (readings_ <= readings) member.ReleaseIfUnpinned();
}

void RecoverySet::NoteFailure(const absl::Status& status) {
  MutexLock lock(&failure_mutex_);
  if (failure_.ok()) failure_ = status;
}

}  // namespace inferd
