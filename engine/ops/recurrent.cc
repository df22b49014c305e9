#include "engine/ops/recurrent.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/matmul.h"
#include "engine/ops/type_check.h"

namespace inferd {
namespace {

enum Input { kX, kW, kR, kB, kLengths, kInitialH, kInitialC, kPeepholes };

absl::Status CheckInput(absl::string_view name, const SymbolicShape& shape,
                        const std::vector<Dim>& expected) {
  bool fits = !shape.has_rank() || shape.rank() == static_cast<int>(expected.size());
  for (int i = 0; fits && i < shape.rank(); ++i) {
    fits = !shape[i].known() || !expected[i].known() || shape[i].value == expected[i].value;
  }
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      name, " has shape ", shape.ToString(), ", expected ", SymbolicShape(expected).ToString()));
}

absl::Status CheckOptionalInputs(const RecurrentKind& kind, const RecurrentShape& shape,
                                 const std::function<const SymbolicShape*(int)>& shape_of) {
  const Dim directions(shape.directions);
  const std::vector<Dim> state = shape.batch_first
                                     ? std::vector<Dim>{shape.batch, directions, shape.hidden}
                                     : std::vector<Dim>{directions, shape.batch, shape.hidden};
  const struct {
    int input;
    absl::string_view name;
    std::vector<Dim> expected;
  } checks[] = {{kB, "B", {directions, Dim(2 * kind.gates) * shape.hidden}},
                {kLengths, "sequence_lens", {shape.batch}},
                {kInitialH, "initial_h", state},
                {kInitialC, "initial_c", state},
                {kPeepholes, "P", {directions, Dim(3) * shape.hidden}}};
  for (const auto& check : checks) {
    const SymbolicShape* given = shape_of(check.input);
    if (given != nullptr) RETURN_IF_ERROR(CheckInput(check.name, *given, check.expected));
  }
  return absl::OkStatus();
}

bool TakesAlpha(absl::string_view name) {
  return name == "affine" || name == "leakyrelu" || name == "thresholdedrelu" ||
         name == "scaledtanh" || name == "hardsigmoid" || name == "elu";
}

bool TakesBeta(absl::string_view name) {
  return name == "affine" || name == "scaledtanh" || name == "hardsigmoid";
}

// Null for an unknown name.
RecurrentActivation MakeActivation(const RecurrentActivationSpec& spec) {
  const std::string& name = spec.name;
  using Function = RecurrentActivation;
  if (name == "sigmoid") return Function([](double x) { return 1 / (1 + std::exp(-x)); });
  if (name == "tanh") return Function([](double x) { return std::tanh(x); });
  if (name == "relu") return Function([](double x) { return x < 0 ? 0 : x; });
  if (name == "softsign") return Function([](double x) { return x / (1 + std::abs(x)); });
  if (name == "softplus") {
    return Function([](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); });
  }
  if (name == "affine" || name == "scaledtanh") {
    const bool tanh = name == "scaledtanh";
    const double a = spec.alpha.value_or(1), b = spec.beta.value_or(tanh ? 1 : 0);
    return tanh ? Function([a, b](double x) { return a * std::tanh(b * x); })
                : Function([a, b](double x) { return a * x + b; });
  }
  if (name == "leakyrelu") {
    return Function(
        [a = double{spec.alpha.value_or(0.01f)}](double x) { return x < 0 ? a * x : x; });
  }
  if (name == "thresholdedrelu") {
    return Function([a = double{spec.alpha.value_or(1)}](double x) { return x >= a ? x : 0; });
  }
  if (name == "elu") {
    return Function(
        [a = double{spec.alpha.value_or(1)}](double x) { return x < 0 ? a * std::expm1(x) : x; });
  }
  if (name == "hardsigmoid") {
    const double a = spec.alpha.value_or(0.2f), b = spec.beta.value_or(0.5f);
    return Function([a, b](double x) { return std::clamp(a * x + b, 0.0, 1.0); });
  }
  return nullptr;
}

// The activations of all directions, one after another.
absl::StatusOr<std::vector<RecurrentActivation>> ReadActivations(const Attributes& attributes,
                                                                 const RecurrentKind& kind,
                                                                 int directions) {
  ASSIGN_OR_RETURN(const std::vector<RecurrentActivationSpec> specs,
                   ReadActivationSpecs(attributes, kind, directions));
  std::vector<RecurrentActivation> activations;
  for (const RecurrentActivationSpec& spec : specs) {
    activations.push_back(MakeActivation(spec));
    if (activations.back() == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("attribute activations has \"", spec.given, "\""));
    }
  }
  return activations;
}

// The part of one direction in a tensor whose first dimension counts directions.
template <typename Acc, typename T>
std::vector<Acc> Part(const KernelContext& context, int input, int direction, int64_t count) {
  if (!context.has_input(input)) return std::vector<Acc>(count, Acc(0));
  const T* from = context.input(input).data<T>() + direction * count;
  return std::vector<Acc>(from, from + count);
}

template <typename Acc, typename T>
RecurrentDirection<Acc> ReadDirection(const KernelContext& context, const RecurrentKind& kind,
                                      const RecurrentShape& shape, int d) {
  const int64_t rows = kind.gates * shape.hidden.value;
  RecurrentDirection<Acc> direction;
  direction.w = Transposed<Acc>(context.input(kW).data<T>() + d * rows * shape.input.value, rows,
                                shape.input.value);
  direction.r = Transposed<Acc>(context.input(kR).data<T>() + d * rows * shape.hidden.value, rows,
                                shape.hidden.value);
  const std::vector<Acc> bias = Part<Acc, T>(context, kB, d, 2 * rows);
  direction.w_bias.assign(bias.begin(), bias.begin() + rows);
  direction.r_bias.assign(bias.begin() + rows, bias.end());
  if (kind.states == 2) {
    direction.peepholes = Part<Acc, T>(context, kPeepholes, d, 3 * shape.hidden.value);
  }
  direction.clip = context.attributes().Float("clip", 0);
  return direction;
}

// Runs one direction and writes its Y and final states. Pointers may be null.
template <typename Acc, typename T>
class DirectionRun {
 public:
  DirectionRun(const KernelContext& context, const RecurrentKind& kind, const RecurrentShape& shape,
               int d, bool reverse)
      : shape_(shape),
        d_(d),
        reverse_(reverse),
        width_(kind.gates * shape.hidden.value),
        x_(context.input(kX).data<T>()),
        direction_(ReadDirection<Acc, T>(context, kind, shape, d)) {
    for (int s = 0; s < kind.states; ++s) states_.push_back(InitialState(context, kInitialH + s));
  }

  void set_activations(std::vector<RecurrentActivation> activations) {
    direction_.activations = std::move(activations);
  }

  void Run(const std::vector<int64_t>& lengths, const RecurrentStep<Acc>& step, T* y) {
    const int64_t batch = shape_.batch.value, input = shape_.input.value;
    const int64_t hidden = shape_.hidden.value;
    for (int64_t t = 0; t < shape_.sequence.value; ++t) {
      std::vector<Acc> row(batch * input, Acc(0));
      for (int64_t n = 0; n < batch; ++n) {
        if (t >= lengths[n]) continue;
        const T* from = x_ + XOffset(TimeOf(t, lengths[n]), n);
        std::copy(from, from + input, row.begin() + n * input);
      }
      std::vector<Acc> xw(batch * width_, Acc(0));
      AddMatrixProduct(batch, width_, input, row.data(), direction_.w.data(), xw.data());
      std::vector<std::vector<Acc>> next = states_;
      step(direction_, batch, hidden, xw.data(), &next);
      for (int64_t n = 0; n < batch; ++n) {
        if (t >= lengths[n]) continue;
        for (size_t s = 0; s < next.size(); ++s) {
          std::copy_n(next[s].begin() + n * hidden, hidden, states_[s].begin() + n * hidden);
        }
        if (y == nullptr) continue;
        std::copy_n(states_[0].begin() + n * hidden, hidden, y + YOffset(TimeOf(t, lengths[n]), n));
      }
    }
  }

  void StoreState(int s, T* to) const {
    for (int64_t n = 0; n < shape_.batch.value; ++n) {
      std::copy_n(states_[s].begin() + n * shape_.hidden.value, shape_.hidden.value,
                  to + StateOffset(n));
    }
  }

 private:
  std::vector<Acc> InitialState(const KernelContext& context, int input) const {
    std::vector<Acc> state(shape_.batch.value * shape_.hidden.value, Acc(0));
    if (!context.has_input(input)) return state;
    for (int64_t n = 0; n < shape_.batch.value; ++n) {
      std::copy_n(context.input(input).data<T>() + StateOffset(n), shape_.hidden.value,
                  state.begin() + n * shape_.hidden.value);
    }
    return state;
  }
  int64_t TimeOf(int64_t t, int64_t length) const { return reverse_ ? length - 1 - t : t; }
  int64_t XOffset(int64_t t, int64_t n) const {
    const int64_t row =
        shape_.batch_first ? n * shape_.sequence.value + t : t * shape_.batch.value + n;
    return row * shape_.input.value;
  }
  int64_t YOffset(int64_t t, int64_t n) const {
    const int64_t row = shape_.batch_first
                            ? (n * shape_.sequence.value + t) * shape_.directions + d_
                            : (t * shape_.directions + d_) * shape_.batch.value + n;
    return row * shape_.hidden.value;
  }
  int64_t StateOffset(int64_t n) const {
    const int64_t row =
        shape_.batch_first ? n * shape_.directions + d_ : d_ * shape_.batch.value + n;
    return row * shape_.hidden.value;
  }

  const RecurrentShape& shape_;
  const int d_;
  const bool reverse_;
  const int64_t width_;
  const T* x_;
  RecurrentDirection<Acc> direction_;
  std::vector<std::vector<Acc>> states_;
};

SymbolicShape SequenceShape(const RecurrentShape& shape) {
  const Dim directions(shape.directions);
  if (shape.batch_first) return {shape.batch, shape.sequence, directions, shape.hidden};
  return {shape.sequence, directions, shape.batch, shape.hidden};
}

SymbolicShape StateShape(const RecurrentShape& shape) {
  const Dim directions(shape.directions);
  if (shape.batch_first) return {shape.batch, directions, shape.hidden};
  return {directions, shape.batch, shape.hidden};
}

// An empty X may claim sizes that no data bounds.
absl::Status CheckWork(const KernelContext& context, const RecurrentKind& kind,
                       const RecurrentShape& shape) {
  const int64_t width = std::max<int64_t>(kind.gates * shape.hidden.value, 1);
  for (const Shape& claimed :
       {Shape({std::max<int64_t>(shape.sequence.value, 1), shape.batch.value}),
        Shape({shape.sequence.value, std::max<int64_t>(shape.batch.value, 1)}),
        Shape({shape.batch.value, width})}) {
    ASSIGN_OR_RETURN(const int64_t elements, claimed.CheckedElements());
    if (elements > context.limit_bytes() / 8) {
      return absl::ResourceExhaustedError(absl::StrCat("X ", context.input(kX).shape().ToString(),
                                                       " claims too many sequences or steps"));
    }
  }
  return absl::OkStatus();
}

template <typename Acc, typename T>
absl::Status ComputeAs(KernelContext& context, const RecurrentKind& kind,
                       const RecurrentShape& shape, const RecurrentStep<Acc>& step) {
  const DType dtype = context.input(kX).dtype();
  RETURN_IF_ERROR(CheckWork(context, kind, shape));
  ASSIGN_OR_RETURN(
      const std::vector<int64_t> lengths,
      SequenceLengths(context.has_input(kLengths) ? &context.input(kLengths) : nullptr, shape));
  ASSIGN_OR_RETURN(const std::vector<RecurrentActivation> activations,
                   ReadActivations(context.attributes(), kind, shape.directions));
  std::vector<T*> outputs(1 + kind.states, nullptr);
  for (int i = 0; i <= kind.states; ++i) {
    if (!context.wants_output(i)) continue;
    const SymbolicShape output = i == 0 ? SequenceShape(shape) : StateShape(shape);
    ASSIGN_OR_RETURN(Tensor * tensor, context.Output(i, dtype, output.ToShape()));
    outputs[i] = tensor->mutable_data<T>();
    // Steps behind a sequence's end stay zero.
    std::fill_n(outputs[i], tensor->num_elements(), T(0.0f));
  }
  const bool reverse = context.attributes().String("direction", "forward") == "reverse";
  const size_t per_direction = kind.default_activations.size();
  for (int d = 0; d < shape.directions; ++d) {
    DirectionRun<Acc, T> run(context, kind, shape, d, reverse || d == 1);
    const auto first = activations.begin() + d * per_direction;
    run.set_activations({first, first + per_direction});
    run.Run(lengths, step, outputs[0]);
    for (int s = 0; s < kind.states; ++s) {
      if (outputs[1 + s] != nullptr) run.StoreState(s, outputs[1 + s]);
    }
  }
  return absl::OkStatus();
}

}  // namespace

RecurrentKind LstmKind() {
  return {.gates = 4, .states = 2, .default_activations = {"Sigmoid", "Tanh", "Tanh"}};
}

RecurrentKind GruKind() {
  return {.gates = 3, .states = 1, .default_activations = {"Sigmoid", "Tanh"}};
}

RecurrentKind RnnKind() { return {.gates = 1, .states = 1, .default_activations = {"Tanh"}}; }

absl::StatusOr<std::vector<RecurrentActivationSpec>> ReadActivationSpecs(
    const Attributes& attributes, const RecurrentKind& kind, int directions) {
  std::vector<std::string> names = attributes.Strings("activations");
  const size_t expected = kind.default_activations.size() * directions;
  if (names.empty()) {
    for (int d = 0; d < directions; ++d) {
      names.insert(names.end(), kind.default_activations.begin(), kind.default_activations.end());
    }
  }
  if (names.size() != expected) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute activations has ", names.size(), " values, expected ", expected));
  }
  const std::vector<float>& alphas = attributes.Floats("activation_alpha");
  const std::vector<float>& betas = attributes.Floats("activation_beta");
  size_t next_alpha = 0;
  size_t next_beta = 0;
  std::vector<RecurrentActivationSpec> specs;
  for (const std::string& given : names) {
    RecurrentActivationSpec spec;
    spec.given = given;
    spec.name = absl::AsciiStrToLower(given);
    if (TakesAlpha(spec.name) && next_alpha < alphas.size()) spec.alpha = alphas[next_alpha++];
    if (TakesBeta(spec.name) && next_beta < betas.size()) spec.beta = betas[next_beta++];
    specs.push_back(std::move(spec));
  }
  return specs;
}

absl::StatusOr<std::vector<int64_t>> SequenceLengths(const Tensor* lengths,
                                                     const RecurrentShape& shape) {
  if (lengths == nullptr) return std::vector<int64_t>(shape.batch.value, shape.sequence.value);
  ASSIGN_OR_RETURN(std::vector<int64_t> counts, lengths->ToInt64s());
  for (int64_t count : counts) {
    if (count < 0 || count > shape.sequence.value) {
      return absl::InvalidArgumentError(
          absl::StrCat("sequence_lens has ", count, ", expected 0 to ", shape.sequence.value));
    }
  }
  return counts;
}

absl::StatusOr<RecurrentShape> ResolveRecurrent(const Attributes& attributes,
                                                const RecurrentKind& kind, const SymbolicShape& x,
                                                const SymbolicShape& w, const SymbolicShape& r) {
  RecurrentShape shape;
  const std::string direction = attributes.String("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
    return absl::InvalidArgumentError(absl::StrCat("attribute direction is \"", direction, "\""));
  }
  shape.directions = direction == "bidirectional" ? 2 : 1;
  shape.batch_first = attributes.Int("layout", 0) != 0;
  const Dim directions(shape.directions);
  RETURN_IF_ERROR(CheckInput("X", x, std::vector<Dim>(3)));
  RETURN_IF_ERROR(CheckInput("W", w, {directions, Dim(), Dim()}));
  RETURN_IF_ERROR(CheckInput("R", r, {directions, Dim(), Dim()}));
  if (x.has_rank()) {
    shape.sequence = x[shape.batch_first ? 1 : 0];
    shape.batch = x[shape.batch_first ? 0 : 1];
    shape.input = x[2];
  }
  if (r.has_rank()) shape.hidden = r[2];
  if (!shape.hidden.known() && attributes.Int("hidden_size", 0) > 0) {
    shape.hidden = attributes.Int("hidden_size", 0);
  }
  if (shape.hidden.known() && shape.hidden.value > (int64_t{1} << 31)) {
    return absl::InvalidArgumentError(absl::StrCat("hidden size is ", shape.hidden.value));
  }
  if (attributes.Has("hidden_size") && !shape.hidden.Is(attributes.Int("hidden_size", 0))) {
    return absl::InvalidArgumentError(absl::StrCat("attribute hidden_size is ",
                                                   attributes.Int("hidden_size", 0), ", R has ",
                                                   shape.hidden.value));
  }
  const Dim rows = Dim(kind.gates) * shape.hidden;
  RETURN_IF_ERROR(CheckInput("W", w, {directions, rows, shape.input}));
  RETURN_IF_ERROR(CheckInput("R", r, {directions, rows, shape.hidden}));
  return shape;
}

absl::Status InferRecurrent(InferContext& context, const RecurrentKind& kind) {
  RETURN_IF_ERROR(CheckSameTypes(context, {kX, kW, kR, kB, kInitialH, kInitialC, kPeepholes}));
  ASSIGN_OR_RETURN(const RecurrentShape shape,
                   ResolveRecurrent(context.attributes(), kind, context.shape(kX),
                                    context.shape(kW), context.shape(kR)));
  RETURN_IF_ERROR(ReadActivations(context.attributes(), kind, shape.directions).status());
  RETURN_IF_ERROR(CheckOptionalInputs(
      kind, shape, [&](int i) { return context.has_input(i) ? &context.shape(i) : nullptr; }));
  context.SetOutput(0, context.dtype(kX), SequenceShape(shape));
  for (int s = 0; s < kind.states; ++s) {
    context.SetOutput(1 + s, context.dtype(kX), StateShape(shape));
  }
  return absl::OkStatus();
}

absl::Status ComputeRecurrent(KernelContext& context, const RecurrentKind& kind,
                              const RecurrentStep<float>& float_step,
                              const RecurrentStep<double>& double_step) {
  ASSIGN_OR_RETURN(const RecurrentShape shape,
                   ResolveRecurrent(context.attributes(), kind, context.input(kX).shape(),
                                    context.input(kW).shape(), context.input(kR).shape()));
  std::vector<SymbolicShape> shapes(context.num_inputs());
  RETURN_IF_ERROR(CheckOptionalInputs(kind, shape, [&](int i) -> const SymbolicShape* {
    if (!context.has_input(i)) return nullptr;
    shapes[i] = context.input(i).shape();
    return &shapes[i];
  }));
  return DispatchFloat(context.input(kX).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, double>) {
      return ComputeAs<double, T>(context, kind, shape, double_step);
    } else {
      return ComputeAs<float, T>(context, kind, shape, float_step);
    }
  });
}

}  // namespace inferd
