#include "server/tracing/request_spans.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

Span RootSpan(const RequestTrace& trace, const TracedRequest& request) {
  Span span;
  span.context = trace.context;
  if (trace.parent) span.parent = trace.parent->span;
  span.state = trace.state;
  span.name = "InferRequest";
  span.is_server = true;
  span.begin = trace.received;
  span.end = request.ended;
  span.attributes.emplace_back("inferd.model", request.model);
  if (!request.version.empty()) span.attributes.emplace_back("inferd.version", request.version);
  if (!request.request_id.empty()) {
    span.attributes.emplace_back("inferd.request_id", request.request_id);
  }
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    span.attributes.emplace_back(absl::StrCat("inferd.input.", i), request.inputs[i]);
  }
  for (size_t i = 0; i < request.outputs.size(); ++i) {
    span.attributes.emplace_back(absl::StrCat("inferd.output.", i), request.outputs[i]);
  }
  span.failed = !request.status.ok();
  const absl::string_view message = request.status.message();
  span.failure.assign(message.data(), message.size());
  return span;
}

Span ChildSpan(const RequestTrace& trace, const char* name, absl::Time begin, absl::Time end) {
  Span span;
  span.context = {trace.context.trace, NewSpanId(), true};
  span.parent = trace.context.span;
  span.state = trace.state;
  span.name = name;
  span.begin = begin;
  span.end = end;
  return span;
}

// What was computed: after the queue, with the times that divide it.
void AddComputeSpans(const RequestTrace& trace, const TracedRequest& request,
                     std::vector<Span>* spans) {
  const RequestTiming& timing = request.timing;
  const absl::Time input_end = timing.computed + timing.compute_input;
  const absl::Time infer_end = input_end + timing.compute_infer;
  const absl::Time output_end = timing.replied + timing.compute_output;
  SpanId parent = trace.context.span;
  if (trace.batch != nullptr && trace.is_first_of_batch) {
    Span batch = ChildSpan(trace, "batch", timing.computed, infer_end);
    batch.context.span = parent = trace.batch->span;
    batch.links = trace.batch->requests;
    batch.attributes.emplace_back("inferd.model", request.model);
    batch.attributes.emplace_back("inferd.batch_rows", timing.batch_rows);
    spans->push_back(std::move(batch));
  }
  Span input = ChildSpan(trace, "compute_input", timing.computed, input_end);
  input.parent = parent;
  Span infer = ChildSpan(trace, "compute_infer", input_end, infer_end);
  infer.parent = parent;
  infer.attributes.emplace_back("inferd.provider", request.provider);
  infer.attributes.emplace_back("inferd.batch_rows", timing.batch_rows);
  if (trace.batch != nullptr && !trace.is_first_of_batch) {
    infer.links.push_back({trace.batch->requests.front().trace, trace.batch->span, true});
  }
  spans->push_back(std::move(input));
  spans->push_back(std::move(infer));
  spans->push_back(ChildSpan(trace, "compute_output", timing.replied, output_end));
  spans->front().events.insert(spans->front().events.end(), {{"COMPUTE_START", timing.computed},
                                                             {"COMPUTE_INPUT_END", input_end},
                                                             {"COMPUTE_OUTPUT_START", infer_end},
                                                             {"COMPUTE_END", output_end}});
}

}  // namespace

std::vector<Span> MakeSpans(const RequestTrace& trace, const TracedRequest& request) {
  const RequestTiming& timing = request.timing;
  std::vector<Span> spans;
  spans.push_back(RootSpan(trace, request));
  spans[0].events.emplace_back("REQUEST_START", trace.received);
  if (timing.queued != absl::InfinitePast()) {
    const bool computed = timing.computed != absl::InfinitePast();
    spans[0].events.emplace_back("QUEUE_START", timing.queued);
    spans.push_back(
        ChildSpan(trace, "queue", timing.queued, computed ? timing.computed : request.ended));
    if (computed && timing.replied != absl::InfinitePast()) {
      AddComputeSpans(trace, request, &spans);
    }
  }
  spans[0].events.emplace_back("REQUEST_END", request.ended);
  return spans;
}

}  // namespace inferd
