#include "engine/sequence_packing.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/rounding.h"
#include "engine/core/status_macros.h"
#include "engine/passes/pack_sequences.h"
#include "engine/passes/padding_proof.h"

namespace inferd {
namespace {

constexpr int64_t kLeastLongest = 8;
// So that an output [sequences,...] differs from one that is [1,tokens,...].
constexpr int64_t kLeastSequences = 2;
// Larger input buffers are given back after their execution.
constexpr int64_t kMaxKeptBytes = int64_t{64} << 20;
constexpr size_t kMaxKeptBuffers = 16;

// To at most a sixteenth more, beyond the smallest.
int64_t RoundedTokens(int64_t tokens) {
  const int64_t step = std::clamp<int64_t>(
      static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(std::max<int64_t>(1, tokens)))) /
          16,
      16, 256);
  return RoundUp(tokens, step);
}

// Whether a binding failed because of the length, which it then always will.
bool IsOfTheModel(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status);
}

// As many as `mask` has ones, if zeros alone are behind them and it begins with a one; else all.
template <typename T>
int64_t OnesBeforeZeros(const T* mask, int64_t length) {
  const T* const end = mask + length;
  const T* const ones_end = std::find_if(mask, end, [](T value) { return value != 1; });
  const bool zeros = std::all_of(ones_end, end, [](T value) { return value == 0; });
  return ones_end != mask && zeros ? ones_end - mask : length;
}

// Puts the first tokens of each row of the requests' input `i` one row behind the other; returns
// where they end.
char* CopyRows(absl::Span<const absl::Span<const Tensor>> requests, size_t i,
               absl::Span<const int64_t> lengths, char* to) {
  auto length = lengths.begin();
  for (const absl::Span<const Tensor> request : requests) {
    const Tensor& input = request[i];
    const char* from = static_cast<const char*>(input.raw());
    const int64_t rows = input.dim(0);
    const int64_t token_bytes =
        input.shape().Product(2, input.rank()) * ElementBytes(input.dtype());
    for (int64_t row = 0; row < rows; ++row, ++length) {
      if (token_bytes > 0) std::memcpy(to, from, *length * token_bytes);
      to += *length * token_bytes;
      from += input.dim(1) * token_bytes;
    }
  }
  return to;
}

int64_t PowerOfTwo(int64_t value) {
  return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(value)));
}

}  // namespace

// The packed inputs of one execution, kept for the next.
struct SequencePacking::Buffers {
  std::vector<Tensor> storage;  // uint8, one an input
  std::vector<Tensor> inputs;   // views of it, as the plan takes them

  int64_t bytes() const {
    int64_t total = 0;
    for (const Tensor& tensor : storage) total += tensor.has_data() ? tensor.byte_size() : 0;
    return total;
  }

  bool Holds(const Tensor& tensor) const {
    return std::any_of(storage.begin(), storage.end(), [&](const Tensor& kept) {
      const char* begin = static_cast<const char*>(kept.raw());
      const char* at = static_cast<const char*>(tensor.raw());
      return at >= begin && at < begin + kept.byte_size();
    });
  }

  // For so many inputs; what Shaped gave before is then invalid.
  void Resize(size_t count) {
    storage.resize(count);
    inputs.resize(count);
  }

  // Input `i` as `shape`, over storage that is large enough.
  absl::StatusOr<Tensor*> Shaped(size_t i, DType dtype, const Shape& shape) {
    const int64_t bytes = shape.num_elements() * ElementBytes(dtype);
    if (!storage[i].has_data() || storage[i].byte_size() < bytes) {
      ASSIGN_OR_RETURN(storage[i],
                       Tensor::Allocate(DType::kUint8, Shape{std::max<int64_t>(bytes, 64)}));
    }
    inputs[i] = Tensor::View(dtype, shape, storage[i].raw());
    return &inputs[i];
  }
};

EngineConfig SequencePacking::ConfigToBind(EngineConfig config) {
  config.precision = Precision::kFloat32;
  for (const char* pass :
       {"sink_views", "fuse_scaled_products", "fuse_epilogues", "merge_projections",
        "fuse_into_pointwise", "partition_devices", "assign_layouts"}) {
    config.disabled_passes.push_back(pass);
  }
  return config;
}

SequencePacking::SequencePacking(std::vector<TensorInfo> inputs, int max_plans,
                                 std::shared_ptr<RecoverySet> recovery, Functions functions)
    : inputs_(std::move(inputs)),
      recovery_(std::move(recovery)),
      functions_(std::move(functions)),
      plans_(max_plans, [this](const std::vector<Shape>& shapes) {
        return Bind({.tokens = shapes[0][0], .sequences = shapes[0][1], .longest = shapes[0][2]});
      }) {}

SequencePacking::~SequencePacking() = default;

bool SequencePacking::TakesSequences() const {
  return !inputs_.empty() &&
         std::all_of(inputs_.begin(), inputs_.end(), [this](const TensorInfo& info) {
           const SymbolicShape& shape = info.type.shape;
           return info.type.is_tensor() && info.type.dtype != DType::kString && shape.rank() >= 2 &&
                  !shape[0].known() && !shape[1].known() && shape[1].symbol >= 0 &&
                  shape[1].symbol == inputs_[0].type.shape[1].symbol &&
                  std::all_of(shape.dims().begin() + 2, shape.dims().end(),
                              [](const Dim& dim) { return dim.known(); });
         });
}

std::vector<Shape> SequencePacking::ShapesFor(int64_t length) const {
  std::vector<Shape> shapes;
  for (const TensorInfo& info : inputs_) {
    Shape shape({1, length});
    for (int i = 2; i < info.type.shape.rank(); ++i) shape.push_back(info.type.shape[i].value);
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

absl::Status SequencePacking::Check(absl::StatusOr<int>* mask_input) {
  const RecoverySet::Reading reading(*recovery_);
  const absl::Status status =
      Pack({.tokens = 3 * kLeastLongest, .sequences = 4, .longest = kLeastLongest}, mask_input)
          .status();
  // Constants that could not be read again must not decide.
  RETURN_IF_ERROR(reading.status());
  return status;
}

void SequencePacking::SkipPadding(int mask_input) {
  mask_input_.store(mask_input, std::memory_order_relaxed);
}

absl::StatusOr<Graph> SequencePacking::Pack(const Sizes& sizes,
                                            absl::StatusOr<int>* mask_input) const {
  // The second binding, to tell what depends on the length; nearly as long, so that constants which
  // are folded up to some size are folded in both or in none.
  const int64_t shorter_length = sizes.longest - 1;
  ASSIGN_OR_RETURN(const Graph shorter, functions_.bind(ShapesFor(shorter_length)));
  ASSIGN_OR_RETURN(const Graph longer, functions_.bind(ShapesFor(sizes.longest)));
  const SequenceBindings bindings{.shorter = &shorter,
                                  .longer = &longer,
                                  .shorter_length = shorter_length,
                                  .longer_length = sizes.longest};
  ASSIGN_OR_RETURN(PackedSequences packed, PackSequences(bindings, sizes.tokens, sizes.sequences));
  if (mask_input != nullptr) *mask_input = FindPaddingMask(bindings, packed.forms);
  return std::move(packed.graph);
}

absl::StatusOr<std::shared_ptr<const Plan>> SequencePacking::Bind(const Sizes& sizes) const {
  const RecoverySet::Reading reading(*recovery_);
  const int skipped_by = mask_input_.load(std::memory_order_relaxed);
  absl::StatusOr<int> mask_input = -1;
  ASSIGN_OR_RETURN(Graph packed, Pack(sizes, skipped_by < 0 ? nullptr : &mask_input));
  // What was proven for short sequences must hold for these.
  RETURN_IF_ERROR(mask_input.status());
  if (skipped_by >= 0 && *mask_input != skipped_by) {
    return absl::FailedPreconditionError("which input masks depends on the sequence length");
  }
  auto plan = functions_.build(std::move(packed));
  RETURN_IF_ERROR(reading.status());
  return plan;
}

int64_t SequencePacking::KeptTokens(const Tensor& mask, int64_t row) const {
  const int64_t length = mask.dim(1);
  if (mask.dtype() == DType::kInt32) {
    return OnesBeforeZeros(mask.data<int32_t>() + row * length, length);
  }
  return OnesBeforeZeros(mask.data<int64_t>() + row * length, length);
}

bool SequencePacking::PaysForPadding(absl::Span<const Tensor> request) const {
  const int mask_input = mask_input_.load(std::memory_order_relaxed);
  if (mask_input < 0) return false;
  const Tensor& mask = request[mask_input];
  int64_t tokens = 0;
  for (int64_t row = 0; row < mask.dim(0); ++row) tokens += KeptTokens(mask, row);
  return tokens > 0 && RoundedTokens(tokens) * 8 <= mask.num_elements() * 7;
}

absl::StatusOr<SequencePacking::Extent> SequencePacking::Measure(
    absl::Span<const absl::Span<const Tensor>> requests) const {
  const int mask_input = mask_input_.load(std::memory_order_relaxed);
  Extent extent;
  Sizes& sizes = extent.sizes;
  for (const absl::Span<const Tensor> request : requests) {
    if (request.size() != inputs_.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected ", inputs_.size(), " inputs, got ", request.size()));
    }
    const int64_t rows = request[0].dim(0);
    const int64_t length = request[0].dim(1);
    for (const Tensor& input : request) {
      if (input.dim(0) == rows && input.dim(1) == length) continue;
      return absl::InvalidArgumentError(absl::StrCat("inputs of ", rows, " and ", input.dim(0),
                                                     " rows of ", length, " and ", input.dim(1)));
    }
    if (length == 0) return absl::InvalidArgumentError("a sequence without tokens");
    for (int64_t row = 0; row < rows; ++row) {
      extent.lengths.push_back(mask_input < 0 ? length : KeptTokens(request[mask_input], row));
      sizes.tokens += extent.lengths.back();
    }
    sizes.sequences += rows;
    sizes.longest = std::max(sizes.longest, length);
  }
  sizes.tokens = RoundedTokens(std::max<int64_t>(1, sizes.tokens));
  sizes.sequences = PowerOfTwo(std::max(sizes.sequences, kLeastSequences));
  sizes.longest = std::max(sizes.longest, kLeastLongest);
  return extent;
}

absl::Status SequencePacking::Fill(absl::Span<const absl::Span<const Tensor>> requests,
                                   const Extent& extent, Buffers& buffers) const {
  const Sizes& sizes = extent.sizes;
  buffers.Resize(inputs_.size() + 2);
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const DType dtype = inputs_[i].type.dtype;
    Shape shape = requests[0][i].shape();
    shape[0] = 1;
    shape[1] = sizes.tokens;
    ASSIGN_OR_RETURN(Tensor * input, buffers.Shaped(i, dtype, shape));
    char* const begin = static_cast<char*>(input->mutable_raw());
    char* const used = CopyRows(requests, i, extent.lengths, begin);
    std::memset(used, 0, begin + input->byte_size() - used);
  }
  ASSIGN_OR_RETURN(Tensor * positions,
                   buffers.Shaped(inputs_.size(), DType::kInt64, Shape({sizes.tokens})));
  ASSIGN_OR_RETURN(Tensor * offsets,
                   buffers.Shaped(inputs_.size() + 1, DType::kInt64, Shape({sizes.sequences + 1})));
  int64_t* position = positions->mutable_data<int64_t>();
  int64_t* offset = offsets->mutable_data<int64_t>();
  int64_t* const last = offset + sizes.sequences;
  int64_t token = 0;
  for (const int64_t length : extent.lengths) {
    *offset++ = token;
    for (int64_t i = 0; i < length; ++i) position[token++] = i;
  }
  std::fill(offset, last + 1, token);
  std::fill(position + token, position + sizes.tokens, 0);
  return absl::OkStatus();
}

SequencePacking::Key SequencePacking::KeyOf(const Sizes& sizes, int64_t longest) {
  return {Shape({sizes.tokens, sizes.sequences, longest})};
}

absl::StatusOr<SequencePacking::Borrowed> SequencePacking::Borrow(const Sizes& sizes) {
  const int64_t rounded = PowerOfTwo(sizes.longest);
  if (rounded < too_long_.load(std::memory_order_relaxed)) {
    Key key = KeyOf(sizes, rounded);
    absl::StatusOr<std::unique_ptr<Executor>> executor = plans_.BorrowExecutor(key);
    if (executor.ok()) return Borrowed{std::move(key), *std::move(executor)};
    if (!IsOfTheModel(executor.status())) return executor.status();
    // The model may have no positions beyond the request's own.
    too_long_.store(rounded, std::memory_order_relaxed);
  }
  if (sizes.longest >= never_from_.load(std::memory_order_relaxed)) {
    return absl::FailedPreconditionError(
        absl::StrCat("sequences of ", sizes.longest, " cannot be packed"));
  }
  Key key = KeyOf(sizes, sizes.longest);
  absl::StatusOr<std::unique_ptr<Executor>> executor = plans_.BorrowExecutor(key);
  if (executor.ok()) return Borrowed{std::move(key), *std::move(executor)};
  if (IsOfTheModel(executor.status())) {
    never_from_.store(sizes.longest, std::memory_order_relaxed);
  }
  return executor.status();
}

absl::Status SequencePacking::Run(CoreSlot& slot,
                                  absl::Span<const absl::Span<const Tensor>> requests,
                                  std::vector<std::vector<Tensor>>* outputs) {
  ASSIGN_OR_RETURN(const Extent extent, Measure(requests));
  ASSIGN_OR_RETURN(Borrowed borrowed, Borrow(extent.sizes));
  std::unique_ptr<Buffers> buffers = TakeBuffers();
  RETURN_IF_ERROR(Fill(requests, extent, *buffers));
  std::vector<Tensor> packed;
  absl::Status status = borrowed.executor->Run(slot, buffers->inputs, &packed);
  plans_.ReturnExecutor(borrowed.key, std::move(borrowed.executor));
  for (Tensor& output : packed) {
    // An output that is an input would change when the buffers are used again.
    if (!buffers->Holds(output)) continue;
    ASSIGN_OR_RETURN(output, output.Clone());
  }
  ReturnBuffers(std::move(buffers));
  RETURN_IF_ERROR(status);
  Split(requests, packed, outputs);
  return absl::OkStatus();
}

void SequencePacking::Split(absl::Span<const absl::Span<const Tensor>> requests,
                            absl::Span<const Tensor> packed,
                            std::vector<std::vector<Tensor>>* outputs) {
  outputs->assign(requests.size(), {});
  for (const Tensor& output : packed) {
    Shape shape = output.shape();
    const bool by_token = shape[0] == 1;
    const int64_t entry_bytes =
        shape.Product(by_token ? 2 : 1, shape.rank()) * ElementBytes(output.dtype());
    const char* from = static_cast<const char*>(output.raw());
    // The parts of a copy keep it alive together.
    const auto owner = std::make_shared<const Tensor>(output);
    for (size_t r = 0; r < requests.size(); ++r) {
      shape[0] = requests[r][0].dim(0);
      if (by_token) shape[1] = requests[r][0].dim(1);
      (*outputs)[r].push_back(Tensor::View(output.dtype(), shape, from, owner));
      from += shape.Product(0, by_token ? 2 : 1) * entry_bytes;
    }
  }
}

std::unique_ptr<SequencePacking::Buffers> SequencePacking::TakeBuffers() {
  MutexLock lock(&mutex_);
  if (buffers_.empty()) return std::make_unique<Buffers>();
  std::unique_ptr<Buffers> buffers = std::move(buffers_.back());
  buffers_.pop_back();
  return buffers;
}

void SequencePacking::ReturnBuffers(std::unique_ptr<Buffers> buffers) {
  if (buffers->bytes() > kMaxKeptBytes) return;
  MutexLock lock(&mutex_);
  if (buffers_.size() < kMaxKeptBuffers) buffers_.push_back(std::move(buffers));
}

}  // namespace inferd
