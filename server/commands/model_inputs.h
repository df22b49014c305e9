#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"

namespace inferd {

// What the user gave for a model's inputs on the command line. A value type.
struct InputArguments {
  std::vector<std::string> files;   // NAME=FILE.npy
  std::vector<std::string> shapes;  // NAME=1x3x224x224
};

// A model's inputs in its order: the files that were given, else seeded values (floats N(0,1),
// integers and bools 1) of the given shape. A free dimension is the size that an equally named one
// has in a given input, else 1. INVALID_ARGUMENT naming the input or argument.
absl::StatusOr<std::vector<Tensor>> MakeInputs(const std::vector<TensorInfo>& inputs,
                                               const InputArguments& arguments);

// "1x3x224x224" as a shape; "" is a scalar.
absl::StatusOr<Shape> ParseShape(const std::string& text);

// The shapes of tensors, for Model::Prepare.
std::vector<Shape> ShapesOf(const std::vector<Tensor>& tensors);

// "float32[batch,3,224,224]".
std::string SignatureText(const TensorInfo& info);

}  // namespace inferd
