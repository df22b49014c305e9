#!/usr/bin/env python3
"""What is said of single requests that come over REST: traces, timings, lines in the access log."""

import re
import unittest

from e2e import models
from e2e.collector import Collector, attributes, named
from e2e.daemon import Daemon
from e2e.rest import ask, client, infer_json, wait_until

INFER = "/v2/models/identity/infer"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def fill(repository):
    models.save(repository, "identity", models.identity())


class RestTraceTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.collector = cls.enterClassContext(Collector())
        cls.daemon = cls.enterClassContext(
            Daemon(fill, "--otlp-endpoint", cls.collector.endpoint, "--trace-rate", "1000000",
                   "--access-log-rate", "1"))
        cls.client = client(cls.daemon)
        ask(cls.daemon, "POST", INFER, infer_json())  # the first of a million is traced

    def test_a_request_that_comes_sampled_is_traced_and_answered_with_its_span(self):
        reply = ask(self.daemon, "POST", INFER, infer_json(id="sampled"),
                    {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=x1"})
        self.assertEqual(reply.status, 200)
        version, trace, span, flags = reply.headers["traceparent"].split("-")
        self.assertEqual((version, trace, flags), ("00", TRACE, "01"))
        self.assertEqual(reply.headers["tracestate"], "vendor=x1")

        def mine(spans):
            return [s for s in named(spans, "InferRequest")
                    if attributes(s).get("inferd.request_id") == "sampled"]

        (root,) = mine(self.collector.wait(mine))
        self.assertEqual((root.trace_id.hex(), root.span_id.hex(), root.parent_span_id.hex()),
                         (TRACE, span, PARENT))
        unsampled = ask(self.daemon, "POST", INFER, infer_json(),
                        {"traceparent": f"00-{TRACE}-{PARENT}-00"})
        self.assertNotIn("traceparent", unsampled.headers)

    def test_trace_settings_are_those_of_the_model_or_of_all(self):
        everywhere = self.client.get_trace_settings()
        self.assertEqual(everywhere, {
            "trace_level": ["TIMESTAMPS"], "trace_rate": "1000000", "trace_count": "-1",
            "log_frequency": "0", "trace_file": "", "trace_mode": "opentelemetry"})
        changed = self.client.update_trace_settings(
            "identity", {"trace_rate": "3", "trace_level": ["TIMESTAMPS", "TENSORS"]})
        self.assertEqual((changed["trace_rate"], changed["trace_level"]),
                         ("3", ["TIMESTAMPS", "TENSORS"]))
        self.assertEqual(self.client.get_trace_settings("identity"), changed)
        self.assertEqual(self.client.get_trace_settings(), everywhere)
        self.client.update_trace_settings("identity", {"trace_rate": None, "trace_level": None})
        self.assertEqual(self.client.get_trace_settings("identity"), everywhere)

    def test_wrong_trace_settings_change_nothing(self):
        before = self.client.get_trace_settings()
        for body in ({"trace_rate": "x"}, {"nothing": "1"}, {"trace_file": "x"}, {"trace_rate": {}},
                     {"trace_level": [1, None]}, {"trace_level": ["LOUD"]}, []):
            reply = ask(self.daemon, "POST", "/v2/trace/setting", body)
            self.assertEqual(reply.status, 400, body)
            self.assertTrue(reply.error())
        self.assertEqual(self.client.get_trace_settings(), before)
        self.assertEqual(ask(self.daemon, "GET", "/v2/models/nobody/trace/setting").status, 404)

    def test_timings_are_parameters_and_a_header(self):
        reply = ask(self.daemon, "POST", INFER, infer_json(parameters={"inferd_timings": True}))
        parameters = reply.json()["parameters"]
        self.assertEqual(parameters["inferd_batch_size"], 1)
        self.assertGreater(parameters["inferd_total_us"], 0)
        self.assertIn(f"total_us={parameters['inferd_total_us']}", reply.headers["inferd-timings"])
        self.assertNotIn("inferd-timings", ask(self.daemon, "POST", INFER, infer_json()).headers)

    def test_requests_have_their_line_in_the_access_log(self):
        ask(self.daemon, "POST", INFER, infer_json(2, id="good"))
        ask(self.daemon, "POST", INFER, infer_json(id="bad", outputs=[{"name": "nothing"}]))
        ask(self.daemon, "POST", INFER, b"no json")
        for words in ("method=REST id=good model=identity version=1 code=OK",
                      "id=bad model=identity version=1 code=INVALID_ARGUMENT"):
            self.daemon.wait_for_log(words)
        refused = re.compile(r"id=\S* model=identity version=\S* code=INVALID_ARGUMENT .*bytes=7 ")
        wait_until(lambda: refused.search(self.daemon.log()))
        (good,) = [line for line in self.daemon.log().splitlines() if "id=good" in line]
        self.assertRegex(good, r"batch_rows=2 request_bytes=\d+ reply_bytes=[1-9]\d+ "
                               r"peer=ipv4:127.0.0.1:\d+$")


if __name__ == "__main__":
    unittest.main()
