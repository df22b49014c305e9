#include "engine/ops/recurrent.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/graph/op_def.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/recurrent_cell.h"
#include "engine/providers/cpu/simd/step_kernel.h"

// LSTM, GRU and RNN with constant weights: what the input adds to the gates is computed for many
// steps at once, what the state adds step by step, both from weights packed once.
namespace inferd::cpu {
namespace {

enum Input { kX, kW, kR, kB, kLengths, kInitialH, kInitialC, kPeepholes };
enum class Kind : uint8_t { kLstm, kGru, kRnn };

Kind KindOf(const Node& node) {
  return node.op->name == "LSTM" ? Kind::kLstm : node.op->name == "GRU" ? Kind::kGru : Kind::kRnn;
}

RecurrentKind TraitsOf(Kind kind) {
  return kind == Kind::kLstm ? LstmKind() : kind == Kind::kGru ? GruKind() : RnnKind();
}

// False for the activations that the vector kernels do not have.
bool ReadActivation(const RecurrentActivationSpec& spec, GateActivation* activation) {
  if (spec.name == "sigmoid") {
    activation->function = GateFunction::kSigmoid;
  } else if (spec.name == "tanh") {
    activation->function = GateFunction::kTanh;
  } else if (spec.name == "relu") {
    activation->function = GateFunction::kRelu;
  } else if (spec.name == "hardsigmoid") {
    *activation = {GateFunction::kHardSigmoid, spec.alpha.value_or(0.2f), spec.beta.value_or(0.5f)};
  } else {
    return false;
  }
  return true;
}

// The activations of all directions.
absl::StatusOr<std::vector<GateActivation>> ReadActivations(const Node& node) {
  const bool both = node.attributes.String("direction", "forward") == "bidirectional";
  ASSIGN_OR_RETURN(const std::vector<RecurrentActivationSpec> specs,
                   ReadActivationSpecs(node.attributes, TraitsOf(KindOf(node)), both ? 2 : 1));
  std::vector<GateActivation> activations(specs.size());
  for (size_t i = 0; i < specs.size(); ++i) {
    if (ReadActivation(specs[i], &activations[i])) continue;
    return absl::UnimplementedError(absl::StrCat("activation ", specs[i].name));
  }
  return activations;
}

bool Supports(const Graph& graph, const Node& node) {
  if (!node.epilogue.empty() || InputDType(graph, node, kX) != DType::kFloat32) return false;
  for (int i : {kW, kR, kB, kPeepholes}) {
    if (HasOperand(node, i) && graph.constant(node.inputs[i]) == nullptr) return false;
  }
  for (const Dim& dim : InputValue(graph, node, kX).type.shape.dims()) {
    if (dim.Is(0)) return false;
  }
  const Tensor& r = *graph.constant(node.inputs[kR]);
  return r.rank() == 3 && r.num_elements() > 0 && ReadActivations(node).ok();
}

// One direction's weights and what its step needs beside them.
struct Direction {
  bool reverse = false;
  std::shared_ptr<const PackedWeights> w;
  std::shared_ptr<const PackedWeights> r;
  std::vector<float> w_bias;  // added to x W, rows of gates
  std::vector<float> r_bias;  // added to h R
  std::vector<float> peepholes;
  RecurrentCell cell;
};

// A layer's sizes and where its tensors lie.
struct LayerShape {
  explicit LayerShape(const RecurrentShape& shape)
      : sequence(shape.sequence.value),
        batch(shape.batch.value),
        input(shape.input.value),
        hidden(shape.hidden.value),
        directions(shape.directions),
        batch_first(shape.batch_first) {}

  int64_t XRow(int64_t t, int64_t n) const {
    return batch_first ? n * sequence + t : t * batch + n;
  }
  int64_t YRow(int64_t t, int64_t n, int64_t d) const {
    return batch_first ? (n * sequence + t) * directions + d : (t * directions + d) * batch + n;
  }
  int64_t StateRow(int64_t n, int64_t d) const {
    return batch_first ? n * directions + d : d * batch + n;
  }

  int64_t sequence;
  int64_t batch;
  int64_t input;
  int64_t hidden;
  int directions;
  bool batch_first;
};

// The floats that one direction works in.
struct Workspace {
  Workspace(const LayerShape& shape, const GateLayout& gates)
      : steps(std::clamp<int64_t>(kRowsAtOnce / shape.batch, 1, shape.sequence)),
        x_floats(Padded(steps * shape.batch * shape.input)),
        gate_floats(Padded(shape.batch * gates.width)),
        state_floats(Padded(shape.batch * gates.stride)) {}

  int64_t floats() const { return x_floats + (steps + 1) * gate_floats + 3 * state_floats; }
  float* x(float* base) const { return base; }
  float* x_gates(float* base) const { return base + x_floats; }
  float* h_gates(float* base) const { return x_gates(base) + steps * gate_floats; }
  // h, c and reset * h.
  float* state(float* base, int i) const { return h_gates(base) + gate_floats + i * state_floats; }

  static constexpr int64_t kRowsAtOnce = 128;
  static int64_t Padded(int64_t floats) { return (floats + 15) / 16 * 16; }

  int64_t steps;  // whose x W is computed at once
  int64_t x_floats;
  int64_t gate_floats;
  int64_t state_floats;
};

// Products smaller than this cost less than starting a thread.
constexpr int64_t kMinProductPerThread = int64_t{1} << 18;

class RecurrentKernel : public BoundKernel {
 public:
  RecurrentKernel(Kind kind, bool linear_before_reset, const RecurrentShape& shape,
                  GateLayout gates, std::vector<Direction> directions)
      : kind_(kind),
        linear_before_reset_(linear_before_reset),
        recurrent_shape_(shape),
        shape_(shape),
        gates_(gates),
        workspace_(shape_, gates_),
        directions_(std::move(directions)) {}

  absl::Status Run(const StepContext& step) const override {
    const Tensor* lengths = InputOf(step, kLengths);
    ASSIGN_OR_RETURN(const std::vector<int64_t> counts, SequenceLengths(lengths, recurrent_shape_));
    if (Tensor* y = OutputOf(step, 0); lengths != nullptr && y != nullptr) {
      // Steps behind a sequence's end stay zero.
      std::fill_n(y->mutable_data<float>(), y->num_elements(), 0.0f);
    }
    ParallelRanges(step.threads, shape_.directions, 1, 1, [&](int64_t begin, int64_t end) {
      const int threads = end - begin == shape_.directions ? step.threads : 1;
      for (int64_t d = begin; d < end; ++d) RunDirection(step, counts, d, threads);
    });
    return absl::OkStatus();
  }

  int64_t scratch_bytes() const override {
    return shape_.directions * workspace_.floats() * static_cast<int64_t>(sizeof(float));
  }
  std::string description() const override {
    return absl::StrCat("packed gates, ", workspace_.steps, " steps at once");
  }
  bool holds_input(int i) const override {
    return i == kW || i == kR || i == kB || i == kPeepholes;
  }

 private:
  static const Tensor* InputOf(const StepContext& step, size_t i) {
    return i < step.inputs.size() ? step.inputs[i] : nullptr;
  }
  static Tensor* OutputOf(const StepContext& step, size_t i) {
    return i < step.outputs.size() ? step.outputs[i] : nullptr;
  }

  void RunDirection(const StepContext& step, const std::vector<int64_t>& counts, int64_t d,
                    int threads) const {
    float* base = static_cast<float*>(step.scratch) + d * workspace_.floats();
    float* h = workspace_.state(base, 0);
    float* c = workspace_.state(base, 1);
    const Tensor* initial_h = InputOf(step, kInitialH);
    LoadState(initial_h, d, h);
    if (kind_ == Kind::kLstm) LoadState(InputOf(step, kInitialC), d, c);
    Tensor* y = OutputOf(step, 0);
    for (int64_t first = 0; first < shape_.sequence; first += workspace_.steps) {
      const int64_t steps = std::min(workspace_.steps, shape_.sequence - first);
      ProjectInput(*step.inputs[kX], counts, directions_[d], first, steps, threads, base);
      for (int64_t t = first; t < first + steps; ++t) {
        const float* x_gates = workspace_.x_gates(base) + (t - first) * shape_.batch * gates_.width;
        RunStep(directions_[d], counts, t, t == 0 && initial_h == nullptr, x_gates, threads, base);
        if (y != nullptr) StoreStep(h, counts, t, d, y->mutable_data<float>());
      }
    }
    StoreState(h, d, OutputOf(step, 1));
    if (kind_ == Kind::kLstm) StoreState(c, d, OutputOf(step, 2));
  }

  int64_t TimeOf(const Direction& direction, int64_t t, int64_t count) const {
    return direction.reverse ? count - 1 - t : t;
  }

  // What x adds to the gates in steps [first, first + steps), in the order they are run.
  void ProjectInput(const Tensor& x, const std::vector<int64_t>& counts, const Direction& direction,
                    int64_t first, int64_t steps, int threads, float* base) const {
    const int64_t rows = steps * shape_.batch;
    const float* from = x.data<float>();
    const float* a = from + first * shape_.batch * shape_.input;
    if (direction.reverse || (shape_.batch_first && shape_.batch > 1)) {
      float* gathered = workspace_.x(base);
      a = gathered;
      for (int64_t t = first; t < first + steps; ++t) {
        for (int64_t n = 0; n < shape_.batch; ++n, gathered += shape_.input) {
          if (t < counts[n]) {
            const int64_t row = shape_.XRow(TimeOf(direction, t, counts[n]), n);
            std::copy_n(from + row * shape_.input, shape_.input, gathered);
          } else {
            std::fill_n(gathered, shape_.input, 0.0f);
          }
        }
      }
    }
    Product(a, shape_.input, rows, shape_.input, *direction.w, direction.w_bias, 0, threads,
            workspace_.x_gates(base));
  }

  // Columns from `first` on.
  void Product(const float* a, int64_t a_row, int64_t rows, int64_t depth,
               const PackedWeights& weights, const std::vector<float>& bias, int64_t first,
               int threads, float* c) const {
    const int64_t per_panel = rows * depth * gates_.panel;
    ParallelRanges(threads, (gates_.width - first) / gates_.panel,
                   kMinProductPerThread / per_panel + 1, 1, [&](int64_t begin, int64_t end) {
                     GateProduct(gates_, a, a_row, rows, depth,
                                 static_cast<const float*>(weights.data()), bias.data(),
                                 first + begin * gates_.panel, first + end * gates_.panel, c);
                   });
  }

  // What `state` adds to the gates, columns from `first` on; a state of zeros adds the bias alone.
  void ProjectState(const float* state, bool is_zero, const Direction& direction, int64_t first,
                    int threads, float* h_gates) const {
    if (!is_zero) {
      Product(state, gates_.stride, shape_.batch, shape_.hidden, *direction.r, direction.r_bias,
              first, threads, h_gates);
      return;
    }
    for (int64_t n = 0; n < shape_.batch; ++n) {
      std::copy(direction.r_bias.begin() + first, direction.r_bias.end(),
                h_gates + n * gates_.width + first);
    }
  }

  // Rows whose sequence has ended keep their state.
  void RunStep(const Direction& direction, const std::vector<int64_t>& counts, int64_t t,
               bool is_zero, const float* x_gates, int threads, float* base) const {
    float* h_gates = workspace_.h_gates(base);
    float* h = workspace_.state(base, 0);
    float* c = workspace_.state(base, 1);
    float* reset_h = workspace_.state(base, 2);
    ProjectState(h, is_zero, direction, 0, threads, h_gates);
    const auto for_rows = [&](auto run) {
      for (int64_t n = 0; n < shape_.batch; ++n) {
        if (t >= counts[n]) continue;
        run(x_gates + n * gates_.width, h_gates + n * gates_.width, n * gates_.stride);
      }
    };
    const RecurrentCell& cell = direction.cell;
    if (kind_ == Kind::kLstm) {
      return for_rows([&](const float* xg, const float* hg, int64_t at) {
        RunLstmCell(gates_, cell, xg, hg, c + at, h + at);
      });
    }
    if (kind_ == Kind::kRnn) {
      return for_rows([&](const float* xg, const float* hg, int64_t at) {
        RunRnnCell(gates_, cell, xg, hg, h + at);
      });
    }
    for_rows([&](const float* xg, float* hg, int64_t at) {
      RunGruGates(gates_, cell, xg, hg, h + at, linear_before_reset_ ? nullptr : reset_h + at);
    });
    if (!linear_before_reset_) {
      ProjectState(reset_h, is_zero, direction, 2 * gates_.stride, threads, h_gates);
    }
    for_rows([&](const float* xg, const float* hg, int64_t at) {
      RunGruState(gates_, cell, linear_before_reset_, xg, hg, h + at);
    });
  }

  void StoreStep(const float* h, const std::vector<int64_t>& counts, int64_t t, int64_t d,
                 float* y) const {
    for (int64_t n = 0; n < shape_.batch; ++n) {
      if (t >= counts[n]) continue;
      const int64_t row = shape_.YRow(TimeOf(directions_[d], t, counts[n]), n, d);
      std::copy_n(h + n * gates_.stride, shape_.hidden, y + row * shape_.hidden);
    }
  }

  void LoadState(const Tensor* initial, int64_t d, float* state) const {
    std::fill_n(state, workspace_.state_floats, 0.0f);
    if (initial == nullptr) return;
    for (int64_t n = 0; n < shape_.batch; ++n) {
      std::copy_n(initial->data<float>() + shape_.StateRow(n, d) * shape_.hidden, shape_.hidden,
                  state + n * gates_.stride);
    }
  }

  void StoreState(const float* state, int64_t d, Tensor* to) const {
    if (to == nullptr) return;
    for (int64_t n = 0; n < shape_.batch; ++n) {
      std::copy_n(state + n * gates_.stride, shape_.hidden,
                  to->mutable_data<float>() + shape_.StateRow(n, d) * shape_.hidden);
    }
  }

  const Kind kind_;
  const bool linear_before_reset_;
  const RecurrentShape recurrent_shape_;
  const LayerShape shape_;
  const GateLayout gates_;
  const Workspace workspace_;
  const std::vector<Direction> directions_;
};

// Direction `d` of W or R, packed.
absl::StatusOr<std::shared_ptr<const PackedWeights>> Packed(const Tensor& weights, int64_t d,
                                                            const GateLayout& gates,
                                                            WeightStore& store) {
  const int64_t depth = weights.dim(2);
  const std::string key = absl::StrCat("gates ", gates.gates, "x", gates.hidden, "x", depth,
                                       " direction ", d, " panels of ", gates.panel);
  return store.GetOrPack(weights, key, gates.width * depth * static_cast<int64_t>(sizeof(float)),
                         [&](void* to) {
                           const float* from = weights.data<float>() + d * weights.dim(1) * depth;
                           PackGates(gates, from, depth, static_cast<float*>(to));
                           return absl::OkStatus();
                         });
}

// Rows `first` to `first + count` of gates, spread as `gates` says, added to `to`.
void AddSpread(const GateLayout& gates, const float* from, int64_t first, int64_t count,
               std::vector<float>* to) {
  for (int64_t gate = first; gate < first + count; ++gate) {
    for (int64_t h = 0; h < gates.hidden; ++h) {
      (*to)[gate * gates.stride + h] += from[gate * gates.hidden + h];
    }
  }
}

void ReadBias(const Tensor& bias, int64_t d, bool linear_before_reset, const GateLayout& gates,
              Direction* direction) {
  const float* w = bias.data<float>() + d * 2 * gates.gates * gates.hidden;
  const float* r = w + gates.gates * gates.hidden;
  AddSpread(gates, w, 0, gates.gates, &direction->w_bias);
  if (linear_before_reset) {
    AddSpread(gates, r, 0, 2, &direction->w_bias);
    AddSpread(gates, r, 2, 1, &direction->r_bias);
  } else {
    AddSpread(gates, r, 0, gates.gates, &direction->w_bias);
  }
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  const Kind kind = KindOf(node);
  const RecurrentKind traits = TraitsOf(kind);
  const Tensor& w = *graph.constant(node.inputs[kW]);
  const Tensor& r = *graph.constant(node.inputs[kR]);
  ASSIGN_OR_RETURN(const RecurrentShape shape,
                   ResolveRecurrent(node.attributes, traits, InputValue(graph, node, kX).type.shape,
                                    w.shape(), r.shape()));
  ASSIGN_OR_RETURN(const std::vector<GateActivation> activations, ReadActivations(node));
  const bool linear = kind == Kind::kGru && node.attributes.Int("linear_before_reset", 0) != 0;
  const bool reverse = node.attributes.String("direction", "forward") == "reverse";
  const GateLayout gates(traits.gates, shape.hidden.value);
  WeightStore private_store;
  WeightStore& store = context.weights == nullptr ? private_store : *context.weights;
  std::vector<Direction> directions(shape.directions);
  const size_t per_direction = traits.default_activations.size();
  for (int64_t d = 0; d < shape.directions; ++d) {
    Direction& direction = directions[d];
    direction.reverse = reverse || d == 1;
    ASSIGN_OR_RETURN(direction.w, Packed(w, d, gates, store));
    ASSIGN_OR_RETURN(direction.r, Packed(r, d, gates, store));
    direction.w_bias.resize(gates.width);
    direction.r_bias.resize(gates.width);
    if (const Tensor* b = ConstantOperand(graph, node, kB)) {
      ReadBias(*b, d, linear, gates, &direction);
    }
    std::copy_n(activations.begin() + d * per_direction, per_direction, direction.cell.activations);
    direction.cell.clip = node.attributes.Float("clip", 0);
    direction.cell.input_forget = node.attributes.Int("input_forget", 0) != 0;
    if (const Tensor* p = ConstantOperand(graph, node, kPeepholes)) {
      direction.peepholes.resize(3 * gates.stride);
      AddSpread(gates, p->data<float>() + d * 3 * gates.hidden, 0, 3, &direction.peepholes);
      direction.cell.peepholes = direction.peepholes.data();
    }
  }
  return std::make_unique<RecurrentKernel>(kind, linear, shape, gates, std::move(directions));
}

constexpr CpuKernelDef kKernels[] = {{"", "LSTM", Supports, RowMajorOnly, Prepare},
                                     {"", "GRU", Supports, RowMajorOnly, Prepare},
                                     {"", "RNN", Supports, RowMajorOnly, Prepare}};

}  // namespace

absl::Span<const CpuKernelDef> RecurrentKernels() { return kKernels; }

}  // namespace inferd::cpu
