#pragma once

#include <optional>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/ops/strided_attention.h"
#include "engine/passes/attention_pattern.h"
#include "engine/passes/matcher.h"

namespace inferd {

// A node to be: its operands, and the value that it makes.
struct FusedAttention {
  StridedAttention attention;
  ValueId q = kNoValue;
  ValueId k = kNoValue;
  ValueId v = kNoValue;
  // One as `attention.bias` has it, or several, whose sum has no layout yet.
  std::vector<ScoreTerm> biases;
  ValueId mask = kNoValue;
  ValueId y = kNoValue;
};

// The attention around a Softmax over the last axis, or that an Attention of ai.onnx is; nullopt
// where it is none that inferd.Attention can take the place of. The graph is bound.
std::optional<FusedAttention> MatchSoftmax(const Graph& graph, const Matcher& matcher,
                                           const Node& softmax);
std::optional<FusedAttention> MatchOperator(const Graph& graph, const Matcher& matcher,
                                            const Node& attention);

}  // namespace inferd
