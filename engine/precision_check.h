#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "engine/engine.h"

namespace inferd {

// Whether a narrower arithmetic may serve a model, and why or why not.
struct PrecisionVerdict {
  bool accepted = false;
  std::string reason;  // a clause
};

// What a narrower arithmetic has to meet.
struct PrecisionBudget {
  double max_error = 0;        // of any output, as OutputError() counts
  bool must_be_faster = true;  // by at least a twentieth
};

// Runs both compilations of one model on three random rows and compares answers and times. Refused
// with the error's text where either fails.
PrecisionVerdict ComparePrecisions(Model& reference, Model& narrower, const PrecisionBudget& budget,
                                   CoreSlot& slot);

// How far an output is off: of floats the root of the mean square of the differences by that of the
// reference, of other types the share of elements that differ. 1 where types or shapes differ or
// only one has a number.
double OutputError(const Tensor& reference, const Tensor& output);

// A verdict as text, and back; not accepted and without a reason where it is no such text.
std::string TextOf(const PrecisionVerdict& verdict);
PrecisionVerdict PrecisionVerdictOf(absl::string_view text);

}  // namespace inferd
