"""An OpenTelemetry collector for tests: keeps the spans it is sent."""

import os
import sys
import threading
from concurrent import futures

from e2e.certificates import read
from e2e.clients import SKIPPED, grpc

try:
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
except ImportError as error:
    print(f"skipped: {error}; tests/requirements.txt lists what is needed")
    sys.exit(1 if os.environ.get("INFERD_REQUIRE_CLIENTS") else SKIPPED)

WAIT_SECONDS = 30


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Listens on a free port, or on `port`; use with `with`. `refusals` exports fail first.

    With `pair`, files of a certificate and its key, over TLS.
    """

    def __init__(self, port=0, refusals=0, code=grpc.StatusCode.UNAVAILABLE, pair=None):
        self.refusals, self.code = refusals, code
        self.calls = 0
        self.resources = []
        self._spans = []
        self._changed = threading.Condition()
        self._server = grpc.server(futures.ThreadPoolExecutor(2))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self._server)
        if pair:
            credentials = grpc.ssl_server_credentials([(read(pair[1]), read(pair[0]))])
            self.port = self._server.add_secure_port(f"127.0.0.1:{port}", credentials)
        else:
            self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self._server.start()

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.port}"

    def Export(self, request, context):  # the service's name of the call
        with self._changed:
            self.calls += 1
            if self.calls <= self.refusals:
                context.abort(self.code, "not now")
            for resource_spans in request.resource_spans:
                self.resources.append(resource_spans.resource)
                for scope_spans in resource_spans.scope_spans:
                    self._spans.extend(scope_spans.spans)
            self._changed.notify_all()
        return trace_service_pb2.ExportTraceServiceResponse()

    def wait(self, is_enough):
        """The spans, once `is_enough` holds of them."""
        with self._changed:
            if not self._changed.wait_for(lambda: is_enough(self._spans), WAIT_SECONDS):
                names = [span.name for span in self._spans]
                raise TimeoutError(f"the spans that are wanted did not come, but {names}")
            return list(self._spans)

    def spans(self):
        with self._changed:
            return list(self._spans)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        self._server.stop(0).wait()


def named(spans, name):
    return [span for span in spans if span.name == name]


def attributes(span):
    return {
        a.key: a.value.int_value if a.value.HasField("int_value") else a.value.string_value
        for a in span.attributes
    }
