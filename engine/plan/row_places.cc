#include "engine/plan/row_places.h"

#include <algorithm>
#include <optional>

#include "engine/graph/op_def.h"

namespace inferd {
namespace {

// Used by one thread, once.
class RowPlaces {
 public:
  RowPlaces(Plan* plan, std::vector<ValueId>* roots, std::vector<int64_t>* starts)
      : plan_(*plan),
        roots_(*roots),
        starts_(*starts),
        uses_(plan->values.size()),
        members_(plan->values.size(), 0) {
    for (size_t s = 0; s < plan_.steps.size(); ++s) {
      for (const ValueId id : plan_.steps[s].inputs) {
        if (id != kNoValue) uses_[id].readers.push_back(s);
      }
      for (const ValueId id : plan_.steps[s].outputs) {
        if (id != kNoValue) uses_[id].writer = s;
      }
    }
    for (const ValueId id : plan_.outputs) uses_[id].is_output = true;
    for (const ValueId root : roots_) {
      if (root != kNoValue) ++members_[root];
    }
  }

  void Run() {
    std::vector<bool> idle(plan_.steps.size(), false);
    for (size_t s = 0; s < plan_.steps.size(); ++s) {
      const Step& step = plan_.steps[s];
      if (IsOnHost(step)) idle[s] = PlaceInputs(step) || PlaceOutputs(step);
    }
    size_t kept = 0;
    for (size_t s = 0; s < idle.size(); ++s) {
      if (!idle[s]) std::swap(plan_.steps[kept++], plan_.steps[s]);
    }
    plan_.steps.resize(kept);
  }

 private:
  struct Uses {
    std::optional<size_t> writer;
    std::vector<size_t> readers;  // once for each input
    bool is_output = false;
  };

  static bool IsOnHost(const Step& step) {
    return step.kernel != nullptr && !step.dynamic && step.device < 0;
  }

  bool IsInHostArena(ValueId id) const {
    return plan_.values[id].kind == StorageKind::kArena && plan_.values[id].device < 0;
  }

  // Whether the value has a block to itself that no view shares and the caller does not see.
  bool MayMove(ValueId id) const {
    return id != kNoValue && IsInHostArena(id) && roots_[id] == id && members_[id] == 1 &&
           !uses_[id].is_output;
  }

  void Move(ValueId part, ValueId whole, const RowsPlace& place, const Step* cut_or_join) {
    roots_[part] = roots_[whole];
    starts_[part] = starts_[whole] + place.start * ElementBytes(plan_.values[part].tensor.dtype());
    ++members_[roots_[whole]];
    for (const size_t s : uses_[part].readers) {
      Step& step = plan_.steps[s];
      if (&step != cut_or_join) step.input_step = place.step;
    }
  }

  // Puts what `join` joins in place. True when it then has nothing to do.
  bool PlaceInputs(const Step& join) {
    bool all = !join.inputs.empty();
    for (size_t i = 0; i < join.inputs.size(); ++i) {
      const auto place = join.kernel->PlaceOfInput(static_cast<int>(i));
      all = place && PlaceInput(join, join.inputs[i], *place) && all;
    }
    return all;
  }

  bool PlaceInput(const Step& join, ValueId part, const RowsPlace& place) {
    if (!MayMove(part) || !IsInHostArena(join.outputs[0]) || !uses_[part].writer) return false;
    Step& writer = plan_.steps[*uses_[part].writer];
    if (!IsOnHost(writer) || writer.outputs[0] != part ||
        writer.kernel->output_row() != place.row ||
        std::count(join.inputs.begin(), join.inputs.end(), part) != 1 ||
        !ReadRowsApart(part, place.row, &join)) {
      return false;
    }
    writer.output_step = place.step;
    Move(part, join.outputs[0], place, &join);
    return true;
  }

  // Whether every step but `join` that reads the value takes it with its rows apart.
  bool ReadRowsApart(ValueId part, int64_t row, const Step* join) const {
    const std::vector<size_t>& readers = uses_[part].readers;
    return std::all_of(readers.begin(), readers.end(), [&](size_t s) {
      const Step& reader = plan_.steps[s];
      return &reader == join ||
             (IsOnHost(reader) && reader.inputs[0] == part && reader.kernel->input_row() == row &&
              std::count(reader.inputs.begin(), reader.inputs.end(), part) == 1);
    });
  }

  bool PlaceOutputs(const Step& cut) {
    bool all = !cut.outputs.empty();
    for (size_t i = 0; i < cut.outputs.size(); ++i) {
      const auto place = cut.kernel->PlaceOfOutput(static_cast<int>(i));
      all = place && PlaceOutput(cut, cut.outputs[i], *place) && all;
    }
    return all;
  }

  bool PlaceOutput(const Step& cut, ValueId part, const RowsPlace& place) {
    const ValueId whole = cut.inputs[0];
    if (!MayMove(part) || !IsInHostArena(whole) || !ReadRowsApart(part, place.row, nullptr)) {
      return false;
    }
    Move(part, whole, place, &cut);
    return true;
  }

  Plan& plan_;
  std::vector<ValueId>& roots_;
  std::vector<int64_t>& starts_;
  std::vector<Uses> uses_;    // by value
  std::vector<int> members_;  // by root: values that lie in its block
};

}  // namespace

void PutRowsInPlace(Plan* plan, std::vector<ValueId>* roots, std::vector<int64_t>* starts) {
  RowPlaces(plan, roots, starts).Run();
}

}  // namespace inferd
