#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dnnl.hpp"
#include "engine/graph/graph.h"

namespace inferd::cpu {

// One post-op of a oneDNN primitive, made of an EpilogueStep.
struct PostOp {
  enum class Kind : uint8_t {
    kEltwise,     // algorithm(alpha, beta)
    kPerChannel,  // binary with one value a channel (or a column)
    kSameShape,   // binary with a tensor of the output's shape
    kBatchRow,    // binary with [B,1,...,1,N]: one row for each outermost batch entry
  };
  Kind kind = Kind::kEltwise;
  dnnl::algorithm algorithm = dnnl::algorithm::undef;
  float alpha = 0;
  float beta = 0;
  int operand = -1;  // the node input that the binary kinds read
  dnnl::memory::data_type type = dnnl::memory::data_type::f32;  // of that input
};

// The post-ops that compute `node`'s epilogue on an output whose channels are dimension
// `channel_axis`; nullopt when a step has no exact and fast post-op, whatever is bound to the
// unknown dimensions.
std::optional<std::vector<PostOp>> PlanPostOps(const Graph& graph, const Node& node,
                                               int channel_axis);

// Appends x * scale + shift, as one op with a linear one before it.
void AppendLinear(float scale, float shift, std::vector<PostOp>* ops);

// False for a chain with the same activation twice, where oneDNN 2.6 gives the second one the wrong
// constants (relu has none), and for constants that are not finite.
bool IsSafeChain(const std::vector<PostOp>& ops);

// Whether `operand` (right-aligned to `output`) has the output's size in dimension `axis` and 1 in
// all others, for every binding.
bool IsPerChannel(const SymbolicShape& operand, const SymbolicShape& output, int axis);

// Memory descriptions of the binary operands, as the primitive sees them.
struct PostOpDescs {
  dnnl::memory::desc per_channel;
  dnnl::memory::desc same_shape;
  dnnl::memory::desc batch_row;

  // That of `op`, in the element type of its operand.
  dnnl::memory::desc Of(const PostOp& op) const;
};

void AppendPostOp(const PostOp& op, const PostOpDescs& descs, dnnl::post_ops* post_ops);

// Equal for equal lists; part of primitive keys. Operand indices do not count.
std::string PostOpsKey(const std::vector<PostOp>& ops);

// "+relu+add": for descriptions.
std::string EpilogueText(const Node& node);

}  // namespace inferd::cpu
