#pragma once

// Everything a file that defines an operator needs.
#include "engine/graph/op_def.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"
