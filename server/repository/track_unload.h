#pragma once

#include <memory>

#include "server/model/served_model.h"
#include "server/repository/model_handle.h"
#include "server/repository/model_table.h"

namespace inferd {

// A handle to `model` whose last copy gives back the memory that no other model needs, arenas of
// the core slots included, and tells the entry, which is of `table`, unless the table is gone.
ModelHandle TrackUnload(const std::shared_ptr<ModelTable>& table, ModelEntry* entry,
                        const ServingContext& context, ModelHandle model);

}  // namespace inferd
