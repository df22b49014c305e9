#pragma once

#include <vector>

#include "engine/ops/elementwise.h"

namespace inferd {

// output = finish(fn(...fn(fn(start, x0), x1)...), count of inputs) element by element, with
// broadcasting over any number of inputs of C++ type T. Wide is the type folded in. All inputs of
// an element are read before it is written: the output may share storage with any of them.
template <typename T, typename Wide, typename Fn, typename Finish>
absl::Status MapVariadic(KernelContext& context, Fn fn, Finish finish) {
  if (context.num_inputs() == 2) {
    return MapBinary<T, T>(context, [&](T a, T b) { return T(finish(fn(Wide(a), Wide(b)), 2)); });
  }
  RETURN_IF_ERROR(CheckOneType(context));
  Shape shape = context.input(0).shape();
  for (int k = 1; k < context.num_inputs(); ++k) {
    ASSIGN_OR_RETURN(shape, BroadcastShapes(shape, context.input(k).shape()));
  }
  std::vector<BroadcastWalk<1>> walks;
  std::vector<const T*> data;
  for (int k = 0; k < context.num_inputs(); ++k) {
    walks.push_back(BroadcastWalk<1>(shape, {&context.input(k).shape()}));
    data.push_back(context.input(k).data<T>());
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DTypeOf<T>(), shape));
  T* out = y->mutable_data<T>();
  const int64_t count = shape.num_elements();
  for (int64_t i = 0; i < count; ++i) {
    Wide folded = Wide(data[0][walks[0].offset(0)]);
    walks[0].Next();
    for (size_t k = 1; k < data.size(); ++k) {
      folded = fn(folded, Wide(data[k][walks[k].offset(0)]));
      walks[k].Next();
    }
    out[i] = T(finish(folded, static_cast<int>(data.size())));
  }
  return absl::OkStatus();
}

}  // namespace inferd
