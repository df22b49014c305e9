#include "engine/providers/cuda/cudnn_attention.h"

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "engine/core/status_macros.h"

namespace inferd::cuda {
namespace {

// The tensors of the graph, by the ids under which addresses are given.
enum Id : int64_t { kQ = 1, kK, kV, kY, kBias, kMask, kScale, kHidden, kUnseen };

constexpr int64_t kHeadMultiple = 8;
constexpr int64_t kElementBytes = 2;

// Where all keys that a query may see lie before its last one, causal says nothing.
bool SeesAllKeys(const AttentionRequest& request) {
  return !request.causal || request.first_position >= request.keys - 1;
}

bool Fits(const HeadStrides& at) {
  return at.first % kHeadMultiple == 0 && at.batch % kHeadMultiple == 0 &&
         at.head % kHeadMultiple == 0 && at.position % kHeadMultiple == 0;
}

bool Takes(const AttentionRequest& request, bool masked, int compute_capability) {
  const int64_t most = CudnnAttention::MostHeadSize(compute_capability);
  for (const int64_t size : {request.depth, request.width}) {
    if (size == 0 || size > most || size % kHeadMultiple != 0) return false;
  }
  for (const HeadStrides* at :
       {&request.q_strides, &request.k_strides, &request.v_strides, &request.y_strides}) {
    if (!Fits(*at)) return false;
  }
  const bool narrow = request.type == Type::kFloat16 || request.type == Type::kBfloat16;
  const bool some = request.batch * request.heads * request.queries * request.keys > 0;
  const bool causal = SeesAllKeys(request) || request.first_position == 0;
  return narrow && some && causal && !(masked && request.zero_hidden_rows);
}

// Makes the graph: softmax(scale Q K^T, masked, + bias, causal) V. Used once.
class AttentionGraph {
 public:
  explicit AttentionGraph(const AttentionRequest& request)
      : request_(request),
        type_(CudnnDataType(request.type)),
        score_dims_({request.batch, request.heads, request.queries, request.keys}) {}

  absl::StatusOr<CudnnGraph> Build(bool has_bias, bool has_mask, cudnnHandle_t handle) {
    int scores = Product();
    scores = Pointwise(CUDNN_POINTWISE_MUL, scores, Number(kScale));
    if (has_mask) scores = Mask(scores);
    if (has_bias) {
      const int bias = OfScores(kBias, CudnnDataType(request_.bias_type), request_.bias_strides);
      scores = Pointwise(CUDNN_POINTWISE_ADD, scores, bias);
    }
    if (!SeesAllKeys(request_)) scores = Causal(scores);
    Weigh(Softmax(scores));
    return builder_.Build(handle);
  }

 private:
  static std::vector<int64_t> Dense(const std::vector<int64_t>& dims) {
    std::vector<int64_t> strides(dims.size(), 1);
    for (size_t d = dims.size() - 1; d > 0; --d) strides[d - 1] = strides[d] * dims[d];
    return strides;
  }

  // What lives between two operations.
  int Between(const std::vector<int64_t>& dims, cudnnDataType_t type = CUDNN_DATA_FLOAT) {
    return builder_.Add({0, type, dims, Dense(dims)});
  }
  int Number(int64_t id) {
    return builder_.Add({id, CUDNN_DATA_FLOAT, {1, 1, 1, 1}, {1, 1, 1, 1}, true});
  }
  int Heads(int64_t id, int64_t heads, int64_t rows, int64_t size, const HeadStrides& at) {
    return builder_.Add(
        {id, type_, {request_.batch, heads, rows, size}, {at.batch, at.head, at.position, 1}});
  }
  // A dimension that is repeated has one element.
  int OfScores(int64_t id, cudnnDataType_t type, const HeadStrides& at) {
    const std::vector<int64_t> dims = {at.batch == 0 ? 1 : request_.batch,
                                       at.head == 0 ? 1 : request_.heads,
                                       at.position == 0 ? 1 : request_.queries, request_.keys};
    const std::vector<int64_t> dense = Dense(dims);
    return builder_.Add({id,
                         type,
                         dims,
                         {at.batch == 0 ? dense[0] : at.batch, at.head == 0 ? dense[1] : at.head,
                          at.position == 0 ? dense[2] : at.position, 1}});
  }
  int Pointwise(cudnnPointwiseMode_t mode, int x, int b) {
    const int y = Between(score_dims_);
    builder_.Pointwise(mode, x, b, y);
    return y;
  }

  int Product() {
    const int64_t kv_heads = request_.heads / request_.group;
    const int q = Heads(kQ, request_.heads, request_.queries, request_.depth, request_.q_strides);
    const HeadStrides& at = request_.k_strides;
    // As its transpose.
    const int k = builder_.Add({kK,
                                type_,
                                {request_.batch, kv_heads, request_.depth, request_.keys},
                                {at.batch, at.head, 1, at.position}});
    const int scores = Between(score_dims_);
    builder_.Multiply(q, k, scores);
    return scores;
  }

  int Mask(int scores) {
    const int mask = OfScores(kMask, CUDNN_DATA_BOOLEAN, request_.mask_strides);
    const int hidden = Number(kHidden);
    const int y = Between(score_dims_);
    builder_.Pointwise(CUDNN_POINTWISE_BINARY_SELECT, request_.mask_hides ? hidden : scores,
                       request_.mask_hides ? scores : hidden, y, CUDNN_DATA_FLOAT, mask);
    return y;
  }

  int Causal(int scores) {
    const int row = Between(score_dims_, CUDNN_DATA_INT32);
    const int column = Between(score_dims_, CUDNN_DATA_INT32);
    const int seen = Between(score_dims_, CUDNN_DATA_BOOLEAN);
    const int y = Between(score_dims_);
    builder_.Index(2, scores, row);
    builder_.Index(3, scores, column);
    builder_.Pointwise(CUDNN_POINTWISE_CMP_GE, row, column, seen, CUDNN_DATA_BOOLEAN);
    builder_.Pointwise(CUDNN_POINTWISE_BINARY_SELECT, scores, Number(kUnseen), y, CUDNN_DATA_FLOAT,
                       seen);
    return y;
  }

  // The weights, of the operands' type as the second product wants them.
  int Softmax(int scores) {
    std::vector<int64_t> row = score_dims_;
    row[3] = 1;
    const int high = Between(row);
    builder_.Reduce(CUDNN_REDUCE_TENSOR_MAX, scores, high);
    const int shifted = Pointwise(CUDNN_POINTWISE_SUB, scores, high);
    const int weights = Pointwise(CUDNN_POINTWISE_EXP, shifted, -1);
    const int sum = Between(row);
    builder_.Reduce(CUDNN_REDUCE_TENSOR_ADD, weights, sum);
    const int result = Between(score_dims_, type_);
    builder_.Pointwise(CUDNN_POINTWISE_DIV, weights, sum, result);
    return result;
  }

  void Weigh(int weights) {
    const int64_t kv_heads = request_.heads / request_.group;
    const int v = Heads(kV, kv_heads, request_.keys, request_.width, request_.v_strides);
    const int y = Heads(kY, request_.heads, request_.queries, request_.width, request_.y_strides);
    builder_.Multiply(weights, v, y);
  }

  const AttentionRequest& request_;
  const cudnnDataType_t type_;
  const std::vector<int64_t> score_dims_;
  CudnnGraphBuilder builder_;
};

const void* At(const void* data, const HeadStrides& strides) {
  return static_cast<const char*>(data) + strides.first * kElementBytes;
}

}  // namespace

int64_t CudnnAttention::MostHeadSize(int compute_capability) {
  return compute_capability >= 90 ? 256 : compute_capability >= 80 ? 128 : 0;
}

absl::StatusOr<std::unique_ptr<CudnnAttention>> CudnnAttention::Make(
    const AttentionRequest& request, bool has_bias, bool has_mask, int compute_capability,
    cudnnHandle_t handle) {
  if (!Takes(request, has_bias || has_mask, compute_capability)) {
    return absl::UnimplementedError("nothing for cuDNN's fused attention");
  }
  ASSIGN_OR_RETURN(CudnnGraph graph, AttentionGraph(request).Build(has_bias, has_mask, handle));
  std::unique_ptr<CudnnAttention> attention(new CudnnAttention());
  attention->scale_ = request.scale;
  attention->hidden_ = request.hidden;
  attention->unseen_ = -std::numeric_limits<float>::infinity();
  attention->has_bias_ = has_bias;
  attention->has_mask_ = has_mask;
  attention->causal_ = !SeesAllKeys(request);
  ASSIGN_OR_RETURN(attention->plan_,
                   CudnnPlan::Make(std::move(graph), /*exact=*/false, /*rank=*/0, handle));
  return attention;
}

absl::Status CudnnAttention::Run(const AttentionRequest& request, void* workspace,
                                 CudaContext& cuda) const {
  std::vector<CudnnOperand> operands = {{kQ, At(request.q, request.q_strides)},
                                        {kK, At(request.k, request.k_strides)},
                                        {kV, At(request.v, request.v_strides)},
                                        {kY, At(request.y, request.y_strides)},
                                        {kScale, &scale_}};
  if (has_bias_) operands.push_back({kBias, request.bias});
  if (has_mask_) {
    operands.push_back({kMask, request.mask});
    operands.push_back({kHidden, &hidden_});
  }
  if (causal_) operands.push_back({kUnseen, &unseen_});
  return plan_->Run(operands, workspace, cuda);
}

}  // namespace inferd::cuda
