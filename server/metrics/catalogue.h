#pragma once

namespace inferd {

// A metric's name and help text. Names are Prometheus's or, with nv_, those that dashboards for
// other servers of this protocol already use.
struct Metric {
  const char* name;
  const char* help;
};

// Every metric of the server, one line each.
namespace metrics {

// Counters of a model version, under the names of existing dashboards; times in microseconds.
constexpr Metric kSuccess{"nv_inference_request_success", "Requests answered without an error"};
constexpr Metric kFailure{"nv_inference_request_failure", "Requests that failed, by reason"};
constexpr Metric kInferences{"nv_inference_count", "Rows inferred for successful requests"};
constexpr Metric kExecutions{"nv_inference_exec_count", "Executions, whatever their batch size"};
constexpr Metric kRequestUs{"nv_inference_request_duration_us", "Time of successful requests"};
constexpr Metric kQueueUs{"nv_inference_queue_duration_us", "Their time in the queue"};
constexpr Metric kInputUs{"nv_inference_compute_input_duration_us", "Time of joining their inputs"};
constexpr Metric kInferUs{"nv_inference_compute_infer_duration_us", "Time of their executions"};
constexpr Metric kOutputUs{"nv_inference_compute_output_duration_us", "Time of their replies"};
// Gauges of a model version, under the names of existing dashboards.
constexpr Metric kPending{"nv_inference_pending_request_count", "Requests in the queue"};
constexpr Metric kLoadSecs{"nv_model_load_duration_secs", "Time the model took to load"};

// Histograms of a model version.
constexpr Metric kRequestSeconds{"inferd_request_duration_seconds", "Successful requests, whole"};
constexpr Metric kQueueSeconds{"inferd_queue_duration_seconds", "Their time in the queue"};
constexpr Metric kComputeSeconds{"inferd_compute_duration_seconds", "Executions, inputs included"};
constexpr Metric kBatchRows{"inferd_batch_rows", "Rows of one execution"};
// Counters of a model version.
constexpr Metric kTuningSeconds{"inferd_tuning_seconds_total", "Core time of measuring kernels"};
constexpr Metric kPlanSwaps{"inferd_plan_swaps_total", "Plans replaced by measured, faster ones"};
// Gauges of a model version.
constexpr Metric kLoadSeconds{"inferd_model_load_duration_seconds", "Time the model took to load"};
constexpr Metric kWeightBytes{"inferd_model_weight_bytes", "Memory of the model's constants"};
constexpr Metric kArenaBytes{"inferd_model_arena_bytes", "Arena of the model's largest plan"};
constexpr Metric kWorkspaceBytes{"inferd_model_workspace_bytes", "Of an arena, what kernels work in"};
constexpr Metric kQueueRequests{"inferd_queue_requests", "Requests in the queue"};
constexpr Metric kQueueLimit{"inferd_queue_limit_requests", "Requests the queue may hold"};
constexpr Metric kMaxBatch{"inferd_max_batch_rows", "Rows of the largest batch; 0: no batching"};

// Gauges of the process.
constexpr Metric kCoreSlots{"inferd_core_slots", "Executions that may run at once"};
constexpr Metric kIdleSlots{"inferd_core_slots_idle", "Core slots without work"};
constexpr Metric kWaitingTasks{"inferd_core_slot_waiting_tasks", "Batches waiting for a slot"};
constexpr Metric kResidentBytes{"inferd_process_resident_memory_bytes", "Resident memory"};
constexpr Metric kMemoryUsed{"inferd_memory_used_bytes", "Memory that the process holds for itself"};
constexpr Metric kMemoryLimit{"inferd_memory_limit_bytes", "Beyond it no model is loaded"};
constexpr Metric kInflightBytes{"inferd_inflight_request_bytes", "Bytes of requests in flight"};
constexpr Metric kInflightLimit{"inferd_inflight_request_limit_bytes", "Limit of these bytes"};
constexpr Metric kHttpConnections{"inferd_http_connections", "Connections of the HTTP port"};
constexpr Metric kHttpLimit{"inferd_http_connection_limit", "Connections it may have"};
constexpr Metric kSharedRegions{"inferd_shared_memory_regions", "Shared memory regions registered"};
constexpr Metric kSharedBytes{"inferd_shared_memory_bytes", "Bytes of these regions"};
constexpr Metric kTlsExpirySeconds{"inferd_tls_certificate_expiry_seconds", "Until the certificate expires; +Inf without TLS"};
constexpr Metric kTlsReloadFailing{"inferd_tls_reload_failing", "1: the files on disk are bad, an older certificate is served"};
constexpr Metric kAccessReloadFailing{"inferd_access_reload_failing", "1: the access files on disk are bad, older rules count"};
constexpr Metric kTraceSpans{"inferd_trace_spans_exported", "Spans that the trace collector took"};
constexpr Metric kTraceDrops{"inferd_trace_spans_dropped", "Spans dropped: queue full or not taken"};
constexpr Metric kTraceQueue{"inferd_trace_spans_queued", "Spans that wait to be sent"};
constexpr Metric kBuildInfo{"inferd_build_info", "Always 1; the label names the build"};

}  // namespace metrics
}  // namespace inferd
