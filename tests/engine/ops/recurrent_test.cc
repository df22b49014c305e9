#include "engine/ops/recurrent.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Strings = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

// The identity as activation makes sums visible.
OpCase Rnn(std::vector<std::optional<Tensor>> inputs, std::vector<std::optional<Tensor>> outputs,
           Pairs attributes = {}, Strings activations = {"Affine"}) {
  attributes.push_back({"activations", std::move(activations)});
  return {.name = "RNN",
          .op = "RNN",
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .attributes = MakeAttributes(std::move(attributes))};
}

const Tensor One() { return Values<float>({1, 1, 1}, {1}); }

TEST(Recurrent, CarriesTheStateForwardsAndBackwards) {
  const Tensor x = Values<float>({3, 1, 1}, {1, 10, 100});
  CheckOpCases({Rnn({x, One(), One()},
                    {Values<float>({3, 1, 1, 1}, {1, 11, 111}), Values<float>({1, 1, 1}, {111})}),
                Rnn({x, One(), One()},
                    {Values<float>({3, 1, 1, 1}, {111, 110, 100}), Values<float>({1, 1, 1}, {111})},
                    {{"direction", std::string("reverse")}}),
                Rnn({x, Values<float>({2, 1, 1}, {1, 1}), Values<float>({2, 1, 1}, {1, 1})},
                    {Values<float>({3, 2, 1, 1}, {1, 111, 11, 110, 111, 100}),
                     Values<float>({2, 1, 1}, {111, 111})},
                    {{"direction", std::string("bidirectional")}}, {"Affine", "Affine"})});
}

TEST(Recurrent, StopsEachSequenceAtItsLength) {
  const Tensor x = Values<float>({2, 2, 1}, {1, 2, 10, 20});
  CheckOpCases(
      {Rnn({x, One(), One(), std::nullopt, Values<int32_t>({2}, {1, 2})},
           {Values<float>({2, 1, 2, 1}, {1, 2, 0, 22}), Values<float>({1, 2, 1}, {1, 22})}),
       Rnn({x, One(), One(), std::nullopt, Values<int32_t>({2}, {1, 2})},
           {Values<float>({2, 1, 2, 1}, {1, 22, 0, 20}), Values<float>({1, 2, 1}, {1, 22})},
           {{"direction", std::string("reverse")}})});
}

TEST(Recurrent, PutsTheBatchFirstInLayoutOne) {
  CheckOpCase(
      Rnn({Values<float>({2, 1, 1}, {1, 2}), One(), One(), Values<float>({1, 2}, {0.5, 0.25}),
           std::nullopt, Values<float>({2, 1, 1}, {10, 20})},
          {Values<float>({2, 1, 1, 1}, {11.75, 22.75}), Values<float>({2, 1, 1}, {11.75, 22.75})},
          {{"layout", int64_t{1}}}));
}

TEST(Lstm, FollowsItsGates) {
  // Gates i, o, f, c see x times 1, 2, 3, 4; the cell starts at 0.5.
  const double x = 0.3, c0 = 0.5;
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  const double c = sigmoid(3 * x) * c0 + sigmoid(x) * std::tanh(4 * x);
  const double h = sigmoid(2 * x) * std::tanh(c);
  CheckOpCase(
      {.name = "LSTM",
       .op = "LSTM",
       .inputs = {Values<double>({1, 1, 1}, {x}), Values<double>({1, 4, 1}, {1, 2, 3, 4}),
                  Values<double>({1, 4, 1}, {0, 0, 0, 0}), std::nullopt, std::nullopt, std::nullopt,
                  Values<double>({1, 1, 1}, {c0})},
       .outputs = {std::nullopt, Values<double>({1, 1, 1}, {h}), Values<double>({1, 1, 1}, {c})}});
}

TEST(Gru, ResetsBeforeOrAfterTheProduct) {
  // Every weight is 1, the biases of the recurrent part 0.5, h starts at 2.
  const double x = 0.3, h0 = 2;
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  const double gate = sigmoid(x + h0 + 0.5);
  for (int64_t after : {0, 1}) {
    const double recurrent = after ? gate * (h0 + 0.5) : gate * h0 + 0.5;
    const double h = (1 - gate) * std::tanh(x + recurrent) + gate * h0;
    CheckOpCase({.name = after ? "after" : "before",
                 .op = "GRU",
                 .inputs = {Values<double>({1, 1, 1}, {x}), Values<double>({1, 3, 1}, {1, 1, 1}),
                            Values<double>({1, 3, 1}, {1, 1, 1}),
                            Values<double>({1, 6}, {0, 0, 0, 0.5, 0.5, 0.5}), std::nullopt,
                            Values<double>({1, 1, 1}, {h0})},
                 .outputs = {std::nullopt, Values<double>({1, 1, 1}, {h})},
                 .attributes = MakeAttributes({{"linear_before_reset", after}})});
  }
}

TEST(Recurrent, RefusesShapesAndAttributesThatDoNotFit) {
  const Tensor x = Values<float>({2, 1, 1}, {1, 2});
  ExpectOpError(Rnn({x, Values<float>({1, 2, 1}, {1, 1}), One()}, {x}), "W has shape [1,2,1]");
  ExpectOpError(Rnn({x, One(), One()}, {x}, {{"direction", std::string("up")}}), "direction");
  ExpectOpError(Rnn({x, One(), One()}, {x}, {{"hidden_size", int64_t{4}}}), "hidden_size is 4");
  ExpectOpError(Rnn({x, One(), One()}, {x}, {}, {"Tanh", "Tanh"}), "activations has 2 values");
  ExpectOpError(Rnn({x, One(), One()}, {x}, {}, {"Cosine"}), "\"Cosine\"");
  ExpectOpError(Rnn({x, One(), One(), std::nullopt, Values<int32_t>({1}, {3})}, {x}),
                "sequence_lens has 3");
}

}  // namespace
}  // namespace inferd::testing
