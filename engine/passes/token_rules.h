#pragma once

#include "absl/types/span.h"
#include "engine/graph/graph.h"
#include "engine/passes/token_form.h"

namespace inferd {

// The form of what a node makes when it runs over many sequences as it is, from the forms of its
// operator's inputs; kOther where it would mix tokens or sequences, or is not known to keep them
// apart. No constants are read but those that name axes.

// Broadcasting: in each axis of the length either one operand has the tokens, or all are uniform.
TokenForm ElementwiseForm(const SequenceBindings& bindings, const Node& node,
                          absl::Span<const TokenForm> forms);

// Operators that work along other axes than that of the tokens or sequences.
TokenForm RowForm(const SequenceBindings& bindings, const Node& node,
                  absl::Span<const TokenForm> forms);

// An Expand of data of that form; what it makes has other sizes than in the bindings.
TokenForm ExpandForm(const SequenceBindings& bindings, const Node& node, const TokenForm& data);

// A node that keeps the bytes of its first input under another shape.
TokenForm ViewForm(const SequenceBindings& bindings, const Node& node, const TokenForm& data);

}  // namespace inferd
