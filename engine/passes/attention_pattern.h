#pragma once

#include <optional>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/passes/matcher.h"

namespace inferd {

// What exporters write around the softmax of an attention.

// Added to the scores, or hiding some of them; broadcast to `shape`, that of the scores there.
struct ScoreTerm {
  ValueId value = kNoValue;
  Shape shape;
};

// Scores before the softmax: masked(scale * A B) + biases.
struct AttentionScores {
  const Node* product = nullptr;  // the MatMul of A and B
  double scale = 1;
  std::vector<ScoreTerm> biases;
  std::optional<ScoreTerm> mask;
  bool mask_hides = false;
  float hidden = 0;  // what the mask replaces scores by
};

// The scores that `value` holds, every step of them read by the next one alone.
std::optional<AttentionScores> MatchScores(const Graph& graph, const Matcher& matcher,
                                           ValueId value);

// What reads the probabilities.
struct AttentionResult {
  const Node* product = nullptr;  // the MatMul of the probabilities with V
  bool zero_hidden_rows = false;  // NaN rows become zeros on the way
};

// The one reader of a softmax's output, through guards against NaN and reshaping.
std::optional<AttentionResult> MatchResult(const Graph& graph, const Matcher& matcher,
                                           ValueId probabilities);

// What a constant bias (added) or mask (true elements hide, or show) does to scores.
struct ConstantMask {
  enum class Kind { kNone, kCausal, kOther };
  Kind kind = Kind::kOther;
  int64_t first_position = 0;  // kCausal: query i sees keys up to i + first_position
  bool infinite = false;       // kCausal: what hides is -infinity
};
ConstantMask ReadConstantBias(const Tensor& bias);
ConstantMask ReadConstantMask(const Tensor& mask, bool hides);

}  // namespace inferd
