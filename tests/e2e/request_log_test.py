#!/usr/bin/env python3
"""What is said of single requests: timings in their replies, the access log, ids in messages."""

import json
import re
import unittest

from e2e import models
from e2e.calls import identity_request, status_of
from e2e.clients import messages, np, triton
from e2e.daemon import Daemon
from e2e.rest import ask, infer_json

TIMINGS = ["queue_us", "compute_input_us", "compute_infer_us", "compute_output_us", "total_us"]


def fill(repository):
    models.save(repository, "identity", models.identity())


def access_lines(daemon, count):
    daemon.wait_for_log("access")
    lines = []
    for _ in range(100):
        lines = [line for line in daemon.log().splitlines() if "access" in line]
        if len(lines) >= count:
            break
        daemon.client().is_server_live()
    return lines


class TimingsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(fill))
        cls.stub = cls.daemon.stub()

    def check(self, parameters, rows):
        values = {name: parameters[f"inferd_{name}"].int64_param for name in TIMINGS}
        self.assertEqual(parameters["inferd_batch_size"].int64_param, rows)
        self.assertTrue(all(value >= 0 for value in values.values()), values)
        self.assertGreater(values["total_us"], 0)
        parts = sum(value for name, value in values.items() if name != "total_us")
        self.assertLessEqual(parts, values["total_us"] + len(TIMINGS))
        return values

    def test_the_client_gets_them_as_parameters(self):
        value = triton.InferInput("x", [3, 16], "FP32")
        value.set_data_from_numpy(np.zeros([3, 16], np.float32))
        answer = self.daemon.client().infer("identity", [value], parameters={"inferd_timings": True})
        self.check(answer.get_response().parameters, 3)

    def test_and_in_the_trailing_metadata(self):
        message = identity_request()
        message.parameters["inferd_timings"].bool_param = True
        answer, call = self.stub.ModelInfer.with_call(message)
        values = self.check(answer.parameters, 1)
        text = dict(call.trailing_metadata())["inferd-timings"]
        self.assertEqual(
            dict(part.split("=") for part in text.split()),
            {**{name: str(value) for name, value in values.items()}, "batch_size": "1"},
        )
        _, call = self.stub.ModelInfer.with_call(identity_request())
        self.assertNotIn("inferd-timings", dict(call.trailing_metadata()))

    def test_and_on_a_stream(self):
        message = identity_request()
        message.parameters["inferd_timings"].bool_param = True
        (reply,) = self.stub.ModelStreamInfer(iter([message]), timeout=30)
        self.check(reply.infer_response.parameters, 1)


class AccessLogTest(unittest.TestCase):

    def test_every_request_has_a_line_when_asked(self):
        with Daemon(fill, "--access-log-rate", "1") as daemon:
            stub = daemon.stub()
            stub.ModelInfer(identity_request(rows=2, id="first"))
            wrong = identity_request(id="wrong one")
            wrong.inputs[0].shape[1] = 3
            status_of(stub.ModelInfer, wrong)
            list(stub.ModelStreamInfer(iter([identity_request(id="streamed")]), timeout=30))
            ask(daemon, "POST", "/v2/models/identity/infer", {**infer_json(), "id": "rest"})
            lines = access_lines(daemon, 4)
            self.assertEqual(len(lines), 4)
            self.assertIn("method=REST id=rest model=identity version=1 code=OK", lines[3])
            self.assertRegex(
                lines[0],
                r"info access method=ModelInfer id=first model=identity version=1 code=OK "
                r"latency_us=\d+ queue_us=\d+ compute_us=\d+ batch_rows=2 request_bytes=\d+ "
                r"reply_bytes=\d+ peer=\S*127.0.0.1\S*$",
            )
            self.assertIn('id="wrong one" model=identity version=1 code=INVALID_ARGUMENT', lines[1])
            self.assertIn("method=ModelStreamInfer id=streamed", lines[2])
            reply_bytes = int(re.search(r"reply_bytes=(\d+)", lines[0]).group(1))
            self.assertGreater(reply_bytes, 128)

    def test_refused_requests_have_a_line(self):
        with Daemon(fill, "--access-log-rate", "1", "--max-message-bytes", "10000") as daemon:
            stub = daemon.stub()
            list(stub.ModelStreamInfer(iter([messages.ModelInferRequest(model_name="nobody")]),
                                       timeout=30))
            self.assertEqual(ask(daemon, "POST", "/v2/models/identity/infer",
                                 bytes(20000)).status, 413)
            self.assertEqual(ask(daemon, "GET", "/nowhere").status, 404)
            lines = access_lines(daemon, 3)
            self.assertIn("method=ModelStreamInfer", lines[0])
            self.assertIn("model=nobody", lines[0])
            for line, code in zip(lines, ("NOT_FOUND", "RESOURCE_EXHAUSTED", "NOT_FOUND")):
                self.assertRegex(line, rf"code={code} .*peer=\S*127.0.0.1")
            self.assertEqual([line.count("method=HTTP") for line in lines], [0, 1, 1])

    def test_one_of_many_has_a_line(self):
        with Daemon(fill, "--access-log-rate", "10") as daemon:
            stub = daemon.stub()
            for i in range(30):
                stub.ModelInfer(identity_request(id=str(i)))
            lines = access_lines(daemon, 3)
            self.assertEqual([re.search(r"id=(\d+)", line).group(1) for line in lines],
                             ["0", "10", "20"])

    def test_lines_are_json_where_the_log_is(self):
        with Daemon(fill, "--access-log-rate", "1") as daemon:
            daemon.client().update_log_settings({"log_format": "json"})
            daemon.stub().ModelInfer(identity_request(id='quo"te\n'))
            (line,) = access_lines(daemon, 1)
            record = json.loads(line)
            self.assertEqual(
                (record["message"], record["id"], record["model"], record["code"]),
                ("access", 'quo"te\n', "identity", "OK"),
            )
            self.assertGreater(record["latency_us"], 0)

    def test_there_is_none_unless_asked_for(self):
        with Daemon(fill) as daemon:
            daemon.stub().ModelInfer(identity_request())
            self.assertNotIn("access", daemon.log())


class RequestIdTest(unittest.TestCase):

    def test_failed_requests_are_logged_with_their_id_when_debugging(self):
        with Daemon(fill, "--log-level", "debug") as daemon:
            wrong = identity_request(id="lost sheep")
            wrong.inputs[0].name = "z"
            _, details = status_of(daemon.stub().ModelInfer, wrong)
            self.assertIn("[request id: lost sheep]", details)
            daemon.wait_for_log("request failed: INVALID_ARGUMENT: [request id: lost sheep]")


if __name__ == "__main__":
    unittest.main()
