#include "server/repository/track_unload.h"

#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "server/model/memory_budget.h"

namespace inferd {
namespace {

// What the models that serve need of each core slot.
int64_t LargestArena(const ModelTable& table) {
  int64_t bytes = 0;
  table.ForEach([&](const ModelEntry& entry) {
    for (const auto& [version, state] : entry.Versions()) {
      if (state.model != nullptr) {
        bytes = std::max(bytes, state.model->model().memory_use().arena_bytes);
      }
    }
  });
  return bytes;
}

void ReleaseArenas(const ModelTable& table, const ServingContext& context) {
  const int64_t bytes = LargestArena(table);
  context.slots->ReleaseArenas(bytes);
  if (context.memory != nullptr) context.memory->ReleasedArenas(bytes);
}

}  // namespace

ModelHandle TrackUnload(const std::shared_ptr<ModelTable>& table, ModelEntry* entry,
                        const ServingContext& context, ModelHandle model) {
  ServedModel* const pointer = model.get();
  const int64_t version = model->version();
  return ModelHandle(pointer, [entry, version, context, weak_table = std::weak_ptr(table),
                               model = std::move(model)](ServedModel*) mutable {
    model.reset();
    const auto table = weak_table.lock();
    if (table != nullptr) ReleaseArenas(*table, context);
    // What the allocator keeps of it goes back, too.
    malloc_trim(0);
    if (table != nullptr) entry->EndUnloading(version);
  });
}

}  // namespace inferd
