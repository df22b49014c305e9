#!/usr/bin/env python3
"""Health over gRPC (Check and Watch) and HTTP, readiness rules, reflection."""

import os
import unittest

from e2e import models
from e2e.calls import check_health, list_services, watch_health
from e2e.clients import grpc
from e2e.daemon import Daemon


def fill(repository):
    models.save(repository, "identity", models.identity())
    models.save(repository, "broken", b"no model")


class HealthTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(fill))
        cls.channel = cls.daemon.channel()

    def test_check_knows_server_process_and_models(self):
        self.assertEqual(check_health(self.channel), "SERVING")
        self.assertEqual(check_health(self.channel, "liveness"), "SERVING")
        self.assertEqual(check_health(self.channel, "identity"), "SERVING")
        self.assertEqual(check_health(self.channel, "broken"), "NOT_SERVING")

    def test_check_of_an_unknown_name_is_not_found(self):
        with self.assertRaises(grpc.RpcError) as caught:
            check_health(self.channel, "nobody")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_watch_says_the_state_at_once(self):
        for name, state in (
            ("", "SERVING"),
            ("identity", "SERVING"),
            ("nobody", "SERVICE_UNKNOWN"),
        ):
            watch = watch_health(self.channel, name)
            self.assertEqual(next(watch), state, name)
            watch.cancel()

    def test_reflection_lists_the_services(self):
        answer = list_services(self.channel)
        self.assertIn(b"inference.GRPCInferenceService", answer)
        self.assertIn(b"grpc.health.v1.Health", answer)

    def test_http_health_on_both_ports(self):
        for port in ("http", "metrics"):
            self.assertEqual(self.daemon.get("/v2/health/live", port)[0], 200)
            self.assertEqual(self.daemon.get("/v2/health/ready", port)[0], 200)
        self.assertEqual(self.daemon.get("/v2/models/identity/ready")[0], 200)
        self.assertNotEqual(self.daemon.get("/v2/models/broken/ready")[0], 200)
        self.assertEqual(self.daemon.get("/v2/models/nobody/ready")[0], 400)

    def test_http_refuses_what_it_does_not_know(self):
        self.assertEqual(self.daemon.get("/nothing")[0], 404)
        self.assertEqual(self.daemon.get("/v2/models/..%2f..%2fetc/ready")[0], 400)
        self.assertEqual(self.daemon.get("/v2/health/live")[0], 200)


class ReadinessTest(unittest.TestCase):

    def test_watch_follows_a_model_that_goes_and_comes_back(self):
        with Daemon(fill, "--model-control-mode", "explicit", "--load-model",
                    "identity") as daemon:
            client, watch = daemon.client(), watch_health(daemon.channel(), "identity")
            self.assertEqual(next(watch), "SERVING")
            client.unload_model("identity")
            self.assertEqual(next(watch), "SERVICE_UNKNOWN")
            client.load_model("identity")
            self.assertEqual(next(watch), "SERVING")
            self.assertTrue(client.is_server_ready())

    def test_an_empty_repository_is_ready(self):
        with Daemon(lambda repository: None) as daemon:
            self.assertEqual(daemon.get("/v2/health/ready")[0], 200)

    def test_not_ready_when_no_model_loaded(self):
        with Daemon(
            lambda repository: models.save(repository, "broken", b"no model"),
            until_ready=False,
        ) as daemon:
            self.assertEqual(daemon.get("/v2/health/live")[0], 200)
            self.assertNotEqual(daemon.get("/v2/health/ready")[0], 200)
            self.assertEqual(check_health(daemon.channel()), "NOT_SERVING")

    def test_strict_readiness_wants_every_model(self):
        with Daemon(fill, "--strict-readiness", until_ready=False) as daemon:
            self.assertEqual(daemon.get("/v2/health/live")[0], 200)
            self.assertNotEqual(daemon.get("/v2/health/ready")[0], 200)

    def test_folders_that_are_no_versions_are_passed_over(self):
        def strange(repository):
            models.save(repository, "identity", models.identity())
            for name in ("01", "latest", "-1", "1.5", "99999999999999999999"):
                os.makedirs(os.path.join(repository, "identity", name))
            with open(os.path.join(repository, "README"), "w", encoding="utf-8") as file:
                file.write("not a model\n")

        with Daemon(strange) as daemon:
            self.assertEqual(list(daemon.client().get_model_metadata("identity").versions), ["1"])


if __name__ == "__main__":
    unittest.main()
