#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"
#include "engine/providers/cpu/dnnl_product.h"

namespace inferd::cpu {

// Gemm with alpha, beta, C and the epilogue as a product, but without dims; nullopt when some of
// them cannot be expressed.
std::optional<MatrixProduct> PlanGemm(const Graph& graph, const Node& node);

// The product of a bound Gemm that PlanGemm takes.
absl::StatusOr<MatrixProduct> GemmProduct(const Graph& graph, const Node& node);

}  // namespace inferd::cpu
