#pragma once

#include <cstdint>

#include "engine/graph/graph.h"

namespace inferd {

// How a value of a bound graph of one row depends on that row's sequence. A value type.
struct TokenForm {
  enum class Kind : uint8_t {
    kInvariant,  // not at all
    kTokens,     // dimension `axis` is the tokens, each entry made for one, of its sequence alone
    kSequences,  // dimension `axis`, of size 1, is the sequences, each entry made of its own alone
    kNumbers,    // a small constant whose numbers depend on the length
    kOther,
  };
  Kind kind = Kind::kOther;
  int axis = -1;
  uint32_t uniform = 0;  // bits: axes of the length along which all entries are equal
  bool counts = false;   // a constant 0, 1, 2, ... along the axis

  bool is_invariant() const { return kind == Kind::kInvariant; }
  bool is_tokens() const { return kind == Kind::kTokens; }
  bool is_sequences() const { return kind == Kind::kSequences; }
  // Whether the value has an entry for each token or each sequence.
  bool has_entries() const { return is_tokens() || is_sequences(); }
};

// One model bound twice with one row (dimension 0) of sequences (dimension 1 of every input) of two
// lengths, after the bound passes. Neither owns the graphs. Immutable.
struct SequenceBindings {
  const Graph* shorter = nullptr;
  const Graph* longer = nullptr;
  int64_t shorter_length = 0;
  int64_t longer_length = 0;  // > shorter_length; no packed sequence is longer

  // Shapes are those of the longer one; the ids are the same in both.
  Shape ShapeOf(ValueId id) const { return longer->value(id).type.shape.ToShape(); }
  int RankOf(ValueId id) const { return longer->value(id).type.shape.rank(); }
  // A tensor of known shape, of one rank in both.
  bool IsTensor(ValueId id) const;
  // Whether the axis has the sequence's length in both.
  bool IsLength(ValueId id, int axis) const;
  // The axes of that length as bits.
  uint32_t LengthAxes(ValueId id) const;
  // Whether some axis differs between the two in another way.
  bool HasOtherAxes(ValueId id) const;
  // The shorter one's node that makes the same value.
  const Node& AtShorter(const Node& node) const {
    return shorter->node(longer->value(node.outputs[0]).producer);
  }
};

}  // namespace inferd
