#include "engine/passes/token_form.h"

namespace inferd {

bool SequenceBindings::IsTensor(ValueId id) const {
  const ValueType& a = shorter->value(id).type;
  const ValueType& b = longer->value(id).type;
  return a.is_tensor() && b.is_tensor() && a.shape.IsConcrete() && b.shape.IsConcrete() &&
         a.shape.rank() == b.shape.rank();
}

bool SequenceBindings::IsLength(ValueId id, int axis) const {
  return shorter->value(id).type.shape[axis].value == shorter_length &&
         longer->value(id).type.shape[axis].value == longer_length;
}

uint32_t SequenceBindings::LengthAxes(ValueId id) const {
  uint32_t axes = 0;
  for (int i = 0; i < RankOf(id); ++i) axes |= IsLength(id, i) ? 1u << i : 0;
  return axes;
}

bool SequenceBindings::HasOtherAxes(ValueId id) const {
  for (int i = 0; i < RankOf(id); ++i) {
    const bool same =
        shorter->value(id).type.shape[i].value == longer->value(id).type.shape[i].value;
    if (!same && !IsLength(id, i)) return true;
  }
  return false;
}

}  // namespace inferd
