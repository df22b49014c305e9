#include "engine/providers/cpu/simd/recurrent_cell.h"

#include "engine/providers/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/providers/cpu/simd/recurrent_cell.cc"
// The loop over targets must come before what it compiles again.
// clang-format off
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "engine/providers/cpu/simd/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {

HWY_INLINE V Activated(const GateActivation& activation, V x) {
  switch (activation.function) {
    case GateFunction::kSigmoid:
      return Sigmoid(x);
    case GateFunction::kTanh:
      return Tanh(x);
    case GateFunction::kRelu:
      return hn::Max(hn::Zero(D()), x);
    case GateFunction::kHardSigmoid:
      return ClampKeepNan(hn::MulAdd(x, Const(activation.alpha), Const(activation.beta)), 0.0f,
                          1.0f);
  }
  return x;
}

HWY_INLINE V Clipped(float clip, V x) { return clip > 0 ? ClampKeepNan(x, -clip, clip) : x; }

// Gate `gate`, lanes from `j` on, before clipping.
HWY_INLINE V GateSum(const GateLayout& layout, const float* x, const float* h, int gate,
                     int64_t j) {
  const int64_t at = gate * layout.stride + j;
  return hn::Add(hn::LoadU(D(), x + at), hn::LoadU(D(), h + at));
}

HWY_INLINE V Gate(const GateLayout& layout, const RecurrentCell& cell, int activation,
                  const float* x, const float* h, int gate, int64_t j) {
  return Activated(cell.activations[activation],
                   Clipped(cell.clip, GateSum(layout, x, h, gate, j)));
}

void LstmCell(const GateLayout& layout, const RecurrentCell& cell, const float* x, const float* h,
              float* c, float* y) {
  const D d;
  const GateActivation& f = cell.activations[0];
  const auto gate = [&](int gate, int peephole, V old, int64_t j) {
    V sum = GateSum(layout, x, h, gate, j);
    if (cell.peepholes != nullptr) {
      sum = hn::MulAdd(hn::LoadU(d, cell.peepholes + peephole * layout.stride + j), old, sum);
    }
    return Activated(f, Clipped(cell.clip, sum));
  };
  for (int64_t j = 0; j < layout.stride; j += static_cast<int64_t>(hn::Lanes(d))) {
    const V old = hn::LoadU(d, c + j);
    const V input = gate(0, 0, old, j);
    const V forget = cell.input_forget ? hn::Sub(Const(1.0f), input) : gate(2, 2, old, j);
    const V candidate = Gate(layout, cell, 1, x, h, 3, j);
    const V state = hn::MulAdd(forget, old, hn::Mul(input, candidate));
    const V output = gate(1, 1, state, j);
    hn::StoreU(state, d, c + j);
    hn::StoreU(hn::Mul(output, Activated(cell.activations[2], state)), d, y + j);
  }
}

void RnnCell(const GateLayout& layout, const RecurrentCell& cell, const float* x, const float* h,
             float* y) {
  const D d;
  for (int64_t j = 0; j < layout.stride; j += static_cast<int64_t>(hn::Lanes(d))) {
    hn::StoreU(Gate(layout, cell, 0, x, h, 0, j), d, y + j);
  }
}

void GruGates(const GateLayout& layout, const RecurrentCell& cell, const float* x, float* h,
              const float* y, float* reset_y) {
  const D d;
  for (int64_t j = 0; j < layout.stride; j += static_cast<int64_t>(hn::Lanes(d))) {
    const V update = Gate(layout, cell, 0, x, h, 0, j);
    const V reset = Gate(layout, cell, 0, x, h, 1, j);
    hn::StoreU(update, d, h + j);
    hn::StoreU(reset, d, h + layout.stride + j);
    if (reset_y != nullptr) hn::StoreU(hn::Mul(reset, hn::LoadU(d, y + j)), d, reset_y + j);
  }
}

void GruState(const GateLayout& layout, const RecurrentCell& cell, bool linear, const float* x,
              const float* h, float* y) {
  const D d;
  const int64_t stride = layout.stride;
  for (int64_t j = 0; j < stride; j += static_cast<int64_t>(hn::Lanes(d))) {
    const V update = hn::LoadU(d, h + j);
    V recurrent = hn::LoadU(d, h + 2 * stride + j);
    if (linear) recurrent = hn::Mul(hn::LoadU(d, h + stride + j), recurrent);
    const V sum = hn::Add(hn::LoadU(d, x + 2 * stride + j), recurrent);
    const V candidate = Activated(cell.activations[1], Clipped(cell.clip, sum));
    const V old = hn::LoadU(d, y + j);
    hn::StoreU(hn::MulAdd(update, hn::Sub(old, candidate), candidate), d, y + j);
  }
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inferd::cpu {

HWY_EXPORT(LstmCell);
HWY_EXPORT(RnnCell);
HWY_EXPORT(GruGates);
HWY_EXPORT(GruState);

void RunLstmCell(const GateLayout& layout, const RecurrentCell& cell, const float* x,
                 const float* h, float* c, float* y) {
  HWY_DYNAMIC_DISPATCH(LstmCell)(layout, cell, x, h, c, y);
}

void RunRnnCell(const GateLayout& layout, const RecurrentCell& cell, const float* x, const float* h,
                float* y) {
  HWY_DYNAMIC_DISPATCH(RnnCell)(layout, cell, x, h, y);
}

void RunGruGates(const GateLayout& layout, const RecurrentCell& cell, const float* x, float* h,
                 const float* y, float* reset_y) {
  HWY_DYNAMIC_DISPATCH(GruGates)(layout, cell, x, h, y, reset_y);
}

void RunGruState(const GateLayout& layout, const RecurrentCell& cell, bool linear, const float* x,
                 const float* h, float* y) {
  HWY_DYNAMIC_DISPATCH(GruState)(layout, cell, linear, x, h, y);
}

}  // namespace inferd::cpu
#endif  // HWY_ONCE
