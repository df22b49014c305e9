#include <array>
#include <cmath>

#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"
#include "tests/engine/providers/cpu/provider_case.h"

namespace inferd::cpu {
namespace {

struct Layer {
  const char* op;
  int64_t gates;
  int64_t sequence = 5;
  int64_t batch = 3;
  int64_t input = 7;
  int64_t hidden = 9;
  int64_t directions = 1;
  Attributes attributes = Attributes();
  bool bias = true;
  bool lengths = false;
  bool states = false;
  bool peepholes = false;
};

KernelCase::Input Optional(bool present, KernelCase::Input input) {
  return present ? std::move(input) : KernelCase::Input{};
}

Tensor Lengths(const Layer& layer) {
  Tensor lengths = Tensor::Allocate(DType::kInt32, Shape({layer.batch})).value();
  for (int64_t n = 0; n < layer.batch; ++n) {
    lengths.mutable_data<int32_t>()[n] = static_cast<int32_t>((n + 2) % (layer.sequence + 1));
  }
  return lengths;
}

KernelCase CaseOf(const Layer& layer) {
  const int64_t d = layer.directions, h = layer.hidden, rows = layer.gates * h;
  const bool batch_first = layer.attributes.Int("layout", 0) != 0;
  const Shape x = batch_first ? Shape({layer.batch, layer.sequence, layer.input})
                              : Shape({layer.sequence, layer.batch, layer.input});
  const Shape state = batch_first ? Shape({layer.batch, d, h}) : Shape({d, layer.batch, h});
  const bool lstm = layer.gates == 4;
  // As trained layers have it: larger weights make rounding errors grow from step to step.
  const float most = 1 / std::sqrt(static_cast<float>(h));
  KernelCase test;
  test.op = layer.op;
  test.attributes = layer.attributes;
  test.attributes.Set("hidden_size", h);
  test.inputs = {Activation(RandomFloats(x)),
                 Constant(RandomFloats({d, rows, layer.input}, -most, most, 2)),
                 Constant(RandomFloats({d, rows, h}, -most, most, 3)),
                 Optional(layer.bias, Constant(RandomFloats({d, 2 * rows}, -1, 1, 4))),
                 Optional(layer.lengths, Activation(Lengths(layer))),
                 Optional(layer.states, Activation(RandomFloats(state, -1, 1, 5)))};
  if (lstm) {
    test.inputs.push_back(Optional(layer.states, Activation(RandomFloats(state, -1, 1, 6))));
    test.inputs.push_back(Optional(layer.peepholes, Constant(RandomFloats({d, 3 * h}, -1, 1, 7))));
  }
  test.num_outputs = lstm ? 3 : 2;
  return test;
}

std::vector<Layer> Layers() {
  return {
      {"LSTM", 4},
      {"GRU", 3},
      {.op = "GRU", .gates = 3, .attributes = AttributesOf({{"linear_before_reset", int64_t{1}}})},
      {"RNN", 1}};
}

TEST(RecurrentKernel, AgreesOverOddShapes) {
  for (Layer layer : Layers()) {
    for (const auto& [sequence, batch, input, hidden] :
         std::vector<std::array<int64_t, 4>>{{1, 1, 1, 1},
                                             {2, 1, 3, 16},
                                             {4, 2, 5, 33},
                                             {7, 3, 4, 31},
                                             {3, 13, 6, 17},
                                             {70, 4, 2, 8},
                                             {2, 150, 3, 5},
                                             {1, 5, 40, 64}}) {
      layer.sequence = sequence;
      layer.batch = batch;
      layer.input = input;
      layer.hidden = hidden;
      SCOPED_TRACE(std::string(layer.op) + " " + std::to_string(hidden));
      ExpectAgrees(CaseOf(layer));
    }
  }
}

TEST(RecurrentKernel, AgreesOverDirectionsLayoutsAndOptionalInputs) {
  for (Layer layer : Layers()) {
    for (const char* direction : {"forward", "reverse", "bidirectional"}) {
      for (int bits = 0; bits < 16; ++bits) {
        layer.attributes.Set("direction", std::string(direction));
        layer.attributes.Set("layout", int64_t{bits & 1});
        layer.directions = std::string(direction) == "bidirectional" ? 2 : 1;
        layer.bias = (bits & 2) != 0;
        layer.lengths = (bits & 4) != 0;
        layer.states = (bits & 8) != 0;
        layer.peepholes = layer.states;
        SCOPED_TRACE(std::string(layer.op) + " " + direction + " " + std::to_string(bits));
        ExpectAgrees(CaseOf(layer));
      }
    }
  }
}

TEST(RecurrentKernel, AgreesWithClipAndInputForget) {
  for (Layer layer : Layers()) {
    layer.attributes.Set("clip", 0.3f);
    if (layer.gates == 4) layer.attributes.Set("input_forget", int64_t{1});
    ExpectAgrees(CaseOf(layer));
  }
}

TEST(RecurrentKernel, AgreesWithOtherActivations) {
  Layer lstm{"LSTM", 4};
  lstm.attributes.Set("activations", std::vector<std::string>{"HardSigmoid", "relu", "Sigmoid"});
  lstm.attributes.Set("activation_alpha", std::vector<float>{0.3f});
  ExpectAgrees(CaseOf(lstm));
  Layer rnn{"RNN", 1};
  rnn.attributes.Set("activations", std::vector<std::string>{"Relu"});
  ExpectAgrees(CaseOf(rnn));
}

TEST(RecurrentKernel, LeavesRareActivationsToThePortableKernel) {
  Layer rnn{"RNN", 1};
  rnn.attributes.Set("activations", std::vector<std::string>{"Softsign"});
  EXPECT_FALSE(HasKernel(CaseOf(rnn)));
}

TEST(RecurrentKernel, AgreesOnSeveralThreads) {
  for (Layer layer : Layers()) {
    layer.attributes.Set("direction", std::string("bidirectional"));
    layer.directions = 2;
    layer.hidden = 200;
    layer.batch = 16;
    layer.input = 100;
    KernelCase test = CaseOf(layer);
    test.threads = 3;
    ExpectAgrees(test, 1e-5, 2e-6);
    layer.attributes.Set("direction", std::string("reverse"));
    layer.directions = 1;
    test = CaseOf(layer);
    test.threads = 3;
    ExpectAgrees(test, 1e-5, 2e-6);
  }
}

TEST(RecurrentKernel, RefusesLengthsThatTheInputDoesNotHave) {
  Layer layer{"LSTM", 4};
  layer.lengths = true;
  KernelCase test = CaseOf(layer);
  test.inputs[4].tensor.mutable_data<int32_t>()[0] = 99;
  const auto outcome = RunCase(test);
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kInvalidArgument) << outcome.status();
}

}  // namespace
}  // namespace inferd::cpu
