#!/usr/bin/env python3
"""Traces: which requests get one, what its spans say, and collectors that are slow, away or back."""

import threading
import unittest

import tritonclient.http as rest

from e2e import models
from e2e.calls import identity_request, status_of
from e2e.certificates import Authority
from e2e.clients import grpc, messages, np, triton
from e2e.collector import Collector, attributes, named
from e2e.daemon import Daemon, run_inferd
from e2e.rest import ask, infer_json

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = (("traceparent", f"00-{TRACE}-{PARENT}-01"), ("tracestate", "vendor=x1"))
UNSAMPLED = (("traceparent", f"00-{TRACE}-{PARENT}-00"),)
TIMES = [
    "REQUEST_START",
    "QUEUE_START",
    "COMPUTE_START",
    "COMPUTE_INPUT_END",
    "COMPUTE_OUTPUT_START",
    "COMPUTE_END",
    "REQUEST_END",
]


def fill(repository):
    models.save(repository, "identity", models.identity())
    models.save(repository, "gather", models.gather())
    models.save(repository, "slow", models.slow())


def roots(spans):
    return named(spans, "InferRequest")


def request_id_of(root):
    return attributes(root).get("inferd.request_id", "")


def by_id(spans, request_id):
    return [root for root in roots(spans) if request_id_of(root) == request_id]


def setting(settings, model=""):
    message = messages.TraceSettingRequest(model_name=model)
    for key, values in settings.items():
        message.settings[key].value.extend(values)
    return message


class TracingTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.collector = cls.enterClassContext(Collector())
        cls.daemon = cls.enterClassContext(
            Daemon(
                fill,
                "--otlp-endpoint",
                cls.collector.endpoint,
                "--trace-rate",
                "1000000",
                "--core-slots",
                "1",
            )
        )
        cls.client = cls.daemon.client()
        cls.stub = cls.daemon.stub()
        cls.stub.ModelInfer(identity_request())  # the first of a million is traced

    def tearDown(self):
        for model in ("", "identity", "gather"):
            cleared = {k: [] for k in ("trace_level", "trace_rate", "trace_count", "log_frequency")}
            self.stub.TraceSetting(setting(cleared, model))

    def traced(self, request_id):
        """The root span of the request with this id, and all spans below it."""
        spans = self.collector.wait(lambda spans: by_id(spans, request_id))
        below = by_id(spans, request_id)[:1]
        for span in below:
            below.extend(s for s in spans if s.parent_span_id == span.span_id)
        return below

    def test_metadata_lists_it(self):
        self.assertIn("trace", self.client.get_server_metadata().extensions)

    def test_the_resource_says_who_sends(self):
        self.collector.wait(roots)
        resource = attributes(self.collector.resources[0])
        self.assertEqual(resource["service.name"], "inferd")
        self.assertTrue(resource["service.version"])

    def test_a_request_that_comes_sampled_has_all_spans(self):
        answer, call = self.stub.ModelInfer.with_call(
            identity_request(id="sampled"), metadata=SAMPLED
        )
        self.assertEqual(answer.id, "sampled")
        spans = self.traced("sampled")
        (root,) = roots(spans)
        self.assertEqual(root.trace_id.hex(), TRACE)
        self.assertEqual(root.parent_span_id.hex(), PARENT)
        self.assertEqual(root.trace_state, "vendor=x1")
        self.assertEqual(root.kind, root.SPAN_KIND_SERVER)
        self.assertEqual(root.status.code, 0)
        self.assertEqual(
            attributes(root),
            {
                "inferd.model": "identity",
                "inferd.version": "1",
                "inferd.request_id": "sampled",
            },
        )
        self.assertEqual([e.name for e in root.events], TIMES)
        times = [e.time_unix_nano for e in root.events]
        self.assertEqual(times, sorted(times))
        self.assertEqual(
            sorted(s.name for s in spans),
            ["InferRequest", "batch", "compute_infer", "compute_input", "compute_output", "queue"],
        )
        by_name = {s.name: s for s in spans}
        batch = by_name["batch"]
        self.assertEqual([link.span_id for link in batch.links], [root.span_id])
        for name, parent in [
            ("queue", root),
            ("batch", root),
            ("compute_input", batch),
            ("compute_infer", batch),
            ("compute_output", root),
        ]:
            span = by_name[name]
            self.assertEqual(span.parent_span_id, parent.span_id, name)
            self.assertEqual(span.kind, span.SPAN_KIND_INTERNAL)
            self.assertLessEqual(root.start_time_unix_nano, span.start_time_unix_nano, name)
            self.assertLessEqual(span.start_time_unix_nano, span.end_time_unix_nano, name)
            self.assertLessEqual(span.end_time_unix_nano, root.end_time_unix_nano, name)
        self.assertEqual(
            attributes(by_name["compute_infer"]), {"inferd.provider": "cpu", "inferd.batch_rows": 1}
        )
        trailing = {k: v for k, v in call.trailing_metadata()}
        self.assertEqual(trailing["traceparent"], f"00-{TRACE}-{root.span_id.hex()}-01")
        self.assertEqual(trailing["tracestate"], "vendor=x1")

    def test_what_does_not_come_sampled_is_not_traced(self):
        for metadata in (UNSAMPLED, (("traceparent", "00-nonsense-01"),), ()):
            _, call = self.stub.ModelInfer.with_call(identity_request(id="no"), metadata=metadata)
            self.assertNotIn("traceparent", {k for k, _ in call.trailing_metadata()})

    def test_failed_requests_have_an_error_and_no_compute(self):
        message = identity_request(id="failed")
        message.inputs[0].shape[1] = 3
        status_of(lambda m, timeout: self.stub.ModelInfer(m, metadata=SAMPLED), message)
        (root,) = self.traced("failed")
        self.assertEqual(root.status.code, root.status.STATUS_CODE_ERROR)
        self.assertIn("expected", root.status.message)
        self.assertEqual([e.name for e in root.events], ["REQUEST_START", "REQUEST_END"])

    def test_requests_of_one_batch_are_linked(self):
        def later(i):
            trace = f"{i + 1:032x}"
            metadata = (("traceparent", f"00-{trace}-{PARENT}-01"),)
            return self.stub.ModelInfer.future(
                identity_request(id=f"mate{i}"), metadata=metadata, timeout=60
            )

        x = triton.InferInput("x", [64, 1024], "FP32")
        x.set_data_from_numpy(np.zeros([64, 1024], "float32"))
        done = threading.Event()
        # The only slot is busy until all have come.
        self.client.async_infer("slow", [x], callback=lambda result, error: done.set())
        for future in [later(i) for i in range(8)]:
            future.result()
        done.wait(60)

        def mates(spans):
            return [s for s in roots(spans) if request_id_of(s).startswith("mate")]

        spans = self.collector.wait(lambda spans: len(mates(spans)) == 8)
        ids = {s.span_id for s in mates(spans)}
        batches = [s for s in named(spans, "batch") if {link.span_id for link in s.links} <= ids]
        self.assertEqual({link.span_id for s in batches for link in s.links}, ids)
        largest = max(batches, key=lambda s: len(s.links))
        self.assertGreater(len(largest.links), 1)
        linked = [
            s
            for s in named(spans, "compute_infer")
            if any(link.span_id == largest.span_id for link in s.links)
        ]
        self.assertEqual(len(linked), len(largest.links) - 1)

    def test_streams_answer_with_the_span_as_a_parameter(self):
        requests = [identity_request(id=f"stream{i}") for i in range(2)]
        replies = list(self.stub.ModelStreamInfer(iter(requests), metadata=SAMPLED, timeout=30))
        for i, reply in enumerate(replies):
            root = self.traced(f"stream{i}")[0]
            self.assertEqual(
                reply.infer_response.parameters["traceparent"].string_param,
                f"00-{TRACE}-{root.span_id.hex()}-01",
            )

    def test_settings_are_those_of_the_model_or_of_all(self):
        self.client.update_trace_settings("identity", {"trace_rate": "3", "trace_level": ["TENSORS"]})
        self.client.update_trace_settings(settings={"trace_rate": "7", "log_frequency": "5"})

        def shown(model=""):
            answer = self.client.get_trace_settings(model).settings
            return {key: list(setting.value) for key, setting in answer.items()}

        rest = {"trace_count": ["-1"], "trace_file": [""], "trace_mode": ["opentelemetry"]}
        self.assertEqual(
            shown("identity"),
            {"trace_rate": ["3"], "trace_level": ["TENSORS"], "log_frequency": ["5"], **rest},
        )
        self.assertEqual(
            shown(),
            {"trace_rate": ["7"], "trace_level": ["TIMESTAMPS"], "log_frequency": ["5"], **rest},
        )
        self.assertEqual(shown("gather"), shown())
        self.client.update_trace_settings("identity", {"trace_rate": None, "trace_level": None})
        self.assertEqual(shown("identity"), shown())
        self.client.update_trace_settings(settings={"trace_rate": None, "log_frequency": None})
        self.assertEqual(shown()["trace_rate"], ["1000000"])

    def test_count_and_rate_limit_what_is_traced(self):
        self.client.update_trace_settings(
            "gather", {"trace_rate": "2", "trace_count": "3", "log_frequency": "1"}
        )
        value = triton.InferInput("indices", [1], "INT64")
        value.set_data_from_numpy(np.zeros([1], "int64"))
        for i in range(20):
            self.client.infer("gather", [value], request_id=f"g{i}")
        self.traced("g4")
        ids = [request_id_of(root) for root in roots(self.collector.spans())]
        self.assertEqual([i for i in ids if i.startswith("g")], ["g0", "g2", "g4"])

    def test_tensors_are_shown_when_asked_for(self):
        self.client.update_trace_settings(
            "identity", {"trace_level": ["TIMESTAMPS", "TENSORS"], "log_frequency": "1"}
        )
        self.stub.ModelInfer(identity_request(rows=2, id="tensors"), metadata=SAMPLED)
        root = self.traced("tensors")[0]
        self.assertEqual(attributes(root)["inferd.input.0"], "x FP32[2,16]")
        self.assertEqual(attributes(root)["inferd.output.0"], "y FP32[2,16]")

    def test_off_means_off(self):
        self.client.update_trace_settings(settings={"trace_level": ["OFF"]})
        _, call = self.stub.ModelInfer.with_call(identity_request(), metadata=SAMPLED)
        self.assertNotIn("traceparent", {k for k, _ in call.trailing_metadata()})

    def test_rest_has_the_same(self):
        path, headers = "/v2/models/identity/infer", dict(SAMPLED)
        reply = ask(self.daemon, "POST", path, {**infer_json(), "id": "rest"}, headers)
        root = self.traced("rest")[0]
        self.assertEqual(root.parent_span_id.hex(), PARENT)
        self.assertEqual(reply.headers["traceparent"], f"00-{TRACE}-{root.span_id.hex()}-01")
        self.assertEqual(reply.headers["tracestate"], "vendor=x1")
        client = rest.InferenceServerClient(self.daemon.addresses["http"])
        changed = client.update_trace_settings("identity", {"trace_rate": "9"})
        self.assertEqual((changed["trace_rate"], changed["trace_level"]), ("9", ["TIMESTAMPS"]))
        self.assertEqual(client.get_trace_settings("identity"), changed)
        self.assertEqual(client.get_trace_settings()["trace_rate"], "1000000")
        cleared = client.update_trace_settings("identity", {"trace_rate": None})
        self.assertEqual(cleared, client.get_trace_settings())
        for body, status in (({"trace_rate": "0"}, 400), ({"trace_rate": True}, 400), ([], 400)):
            self.assertEqual(ask(self.daemon, "POST", "/v2/trace/setting", body).status, status)
        self.assertEqual(ask(self.daemon, "GET", "/v2/models/nobody/trace/setting").status, 404)

    def test_wrong_settings_change_nothing(self):
        before = self.client.get_trace_settings()
        for settings in (
            {"trace_level": ["LOUD"]},
            {"trace_level": ["OFF", "TIMESTAMPS"]},
            {"trace_rate": ["0"]},
            {"trace_rate": ["x"]},
            {"trace_rate": ["1", "2"]},
            {"trace_count": ["-2"]},
            {"trace_file": ["/tmp/traces"]},
            {"trace_color": ["red"]},
        ):
            settings = {"trace_rate": ["5"], **settings}
            code, details = status_of(self.stub.TraceSetting, setting(settings))
            self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT, settings)
            self.assertIn("trace setting", details)
        self.assertEqual(self.client.get_trace_settings(), before)
        code, _ = status_of(self.stub.TraceSetting, setting({"trace_rate": ["5"]}, "nobody"))
        self.assertEqual(code, grpc.StatusCode.NOT_FOUND)


class CollectorTroubleTest(unittest.TestCase):

    def daemon(self, endpoint, *arguments):
        return Daemon(fill, "--otlp-endpoint", endpoint, "--trace-rate", "1", *arguments)

    def test_an_export_that_fails_is_tried_again(self):
        with Collector(refusals=2) as collector, self.daemon(collector.endpoint) as daemon:
            daemon.stub().ModelInfer(identity_request(id="again"))
            collector.wait(roots)
            self.assertEqual(collector.calls, 3)
            self.assertEqual(daemon.metrics()["inferd_trace_spans_dropped"], 0)

    def test_an_export_that_is_refused_is_dropped_and_counted(self):
        code = grpc.StatusCode.PERMISSION_DENIED
        with Collector(refusals=1, code=code) as collector:
            with self.daemon(collector.endpoint) as daemon:
                daemon.stub().ModelInfer(identity_request())
                daemon.wait_for_log("traces are dropped")
                self.assertEqual(daemon.metrics()["inferd_trace_spans_dropped"], 6)
                daemon.stub().ModelInfer(identity_request())
                collector.wait(roots)
                daemon.wait_for_log("again")
                self.assertEqual(daemon.metrics()["inferd_trace_spans_exported"], 6)

    def test_spans_go_over_tls_to_a_collector_of_that_authority_alone(self):
        with Authority() as authority, Authority("somebody else") as other:
            trusted = ("--otlp-ca", authority.certificate)
            with Collector(pair=authority.issue("collector")) as collector:
                with self.daemon(collector.endpoint, *trusted) as daemon:
                    daemon.stub().ModelInfer(identity_request(id="secret"))
                    collector.wait(roots)
            with Collector(pair=other.issue("collector")) as collector:
                with self.daemon(collector.endpoint, *trusted) as daemon:
                    daemon.stub().ModelInfer(identity_request())
                    daemon.wait_for_log("traces are dropped")
                    self.assertEqual(collector.spans(), [])
            nonsense = authority.path("nonsense")
            with open(nonsense, "w", encoding="utf-8") as file:
                file.write("nonsense")
            ended = run_inferd("serve", "--model-repository", authority.folder, "--otlp-endpoint",
                               "127.0.0.1:1", "--otlp-ca", nonsense)
            self.assertEqual(ended.returncode, 1)
            self.assertIn("expected PEM certificates", ended.stderr)

    def test_without_a_collector_requests_run_and_the_oldest_spans_go(self):
        with Collector() as collector:
            endpoint = collector.endpoint
        with self.daemon(endpoint, "--max-trace-spans", "60") as daemon:
            stub = daemon.stub()
            for _ in range(100):
                stub.ModelInfer(identity_request())
            metrics = daemon.metrics()
            self.assertLessEqual(metrics["inferd_trace_spans_queued"], 60)
            self.assertGreater(metrics["inferd_trace_spans_dropped"], 0)
            self.assertEqual(daemon.stop(), 0)

    def test_what_is_queued_is_sent_at_the_end(self):
        with Collector() as collector, self.daemon(collector.endpoint) as daemon:
            for i in range(5):
                daemon.stub().ModelInfer(identity_request(id=str(i)))
            self.assertEqual(daemon.stop(), 0)
            self.assertEqual(len(roots(collector.spans())), 5)

    def test_without_an_endpoint_there_is_nothing_to_set(self):
        with Daemon(fill) as daemon:
            stub = daemon.stub()
            settings = stub.TraceSetting(messages.TraceSettingRequest()).settings
            self.assertEqual(list(settings["trace_level"].value), ["OFF"])
            code, details = status_of(stub.TraceSetting, setting({"trace_level": ["TIMESTAMPS"]}))
            self.assertEqual(code, grpc.StatusCode.UNIMPLEMENTED)
            self.assertIn("--otlp-endpoint", details)
            self.assertNotIn("trace", daemon.client().get_server_metadata().extensions)


if __name__ == "__main__":
    unittest.main()
