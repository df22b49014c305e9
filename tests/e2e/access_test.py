#!/usr/bin/env python3
"""Who may call what: tokens, certificates, and every call of the service without either."""

import hashlib
import os
import queue
import unittest

from e2e import models
from e2e.calls import (check_health, identity_request, list_services, status_of, watch_health)
from e2e.certificates import Authority, read
from e2e.clients import grpc, messages, np, service, triton
from e2e.daemon import Daemon
from e2e.tls_test import wait_until

TOKEN = "s3cret-of-ann"
RULES = f"""
role {{ name: "user" allow: HEALTH allow: METADATA allow: INFERENCE allow: STATISTICS }}
role {{ name: "operator" allow: MODEL_REPOSITORY allow: LOGGING }}
identity {{ name: "ann" role: "user" token_sha256: "{hashlib.sha256(TOKEN.encode()).hexdigest()}" }}
identity {{ name: "bob" role: "user" role: "operator" uri: "spiffe://test/bob" }}
identity {{ name: "eve" dns: "eve.test" }}
"""
CODES = grpc.StatusCode


def fill(repository):
    models.save(repository, "identity", models.identity())


def bearer(token):
    return (("authorization", f"Bearer {token}"),)


class Case(unittest.TestCase):

    def setUp(self):
        self.authority = self.enterContext(Authority())

    def write(self, text, name="access.pbtxt"):
        path = self.authority.path(name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)
        return path

    def serve(self, rules, *more):
        return self.enterContext(Daemon(fill, "--access-config", self.write(rules),
                                        "--reload-interval", "100ms", *more))

    def serve_tls(self, rules, *more):
        pair = self.authority.issue("server")
        return self.serve(rules, "--tls-cert", pair[0], "--tls-key", pair[1], "--tls-client-ca",
                          self.authority.certificate, "--tls-client-optional", *more)

    def channel(self, daemon, sans=None):
        """A TLS channel, with a client certificate of these names if any."""
        pair = self.authority.issue("client", sans) if sans else None
        credentials = grpc.ssl_channel_credentials(
            read(self.authority.certificate),
            *((read(pair[1]), read(pair[0])) if pair else ()))
        address = f"localhost:{daemon.grpc.rsplit(':', 1)[1]}"
        return self.enterContext(grpc.secure_channel(address, credentials))

    def code(self, channel, method="ModelInfer", message=None, metadata=()):
        call = getattr(service.GRPCInferenceServiceStub(channel), method)
        code, details = status_of(
            lambda sent, timeout: call(sent, timeout=timeout, metadata=metadata),
            identity_request() if message is None else message)
        self.assertNotIn(TOKEN, details)
        self.assertNotIn("wrong", details)
        return code


class EveryCallTest(Case):

    def test_no_call_is_open_unless_the_rules_say_so(self):
        daemon = self.serve("")
        methods = messages.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods
        open_calls = []
        for method in methods:
            stub = getattr(service.GRPCInferenceServiceStub(daemon.channel()), method.name)
            if method.name == "ModelStreamInfer":
                code = status_of(lambda sent, timeout, call=stub: list(
                    call(iter([sent]), timeout=timeout)), identity_request())[0]
            else:
                request = getattr(messages, method.input_type.name)()
                code = status_of(stub, request)[0]
            if code != CODES.UNAUTHENTICATED:
                open_calls.append((method.name, code))
        # Not served at all.
        self.assertEqual([name for name, code in open_calls if code != CODES.UNIMPLEMENTED], [])
        for call in (lambda: check_health(daemon.channel()),
                     lambda: next(watch_health(daemon.channel())),
                     lambda: list_services(daemon.channel())):
            with self.assertRaises(grpc.RpcError) as refused:
                call()
            self.assertEqual(refused.exception.code(), CODES.UNAUTHENTICATED)

    def test_the_anonymous_role_opens_what_it_lists(self):
        daemon = self.serve('role { name: "probe" allow: HEALTH allow: METADATA } '
                            'anonymous_role: "probe"')
        self.assertEqual(check_health(daemon.channel()), "SERVING")
        self.assertIn(b"GRPCInferenceService", list_services(daemon.channel()))
        self.assertTrue(daemon.client().is_server_ready())
        self.assertEqual(daemon.client().get_model_metadata("identity").name, "identity")
        self.assertEqual(self.code(daemon.channel()), CODES.UNAUTHENTICATED)


class IdentityTest(Case):

    def test_tokens_and_certificates_carry_their_roles(self):
        daemon = self.serve_tls(RULES)
        nobody = self.channel(daemon)
        bob = self.channel(daemon, "DNS:localhost,URI:spiffe://test/bob")
        eve = self.channel(daemon, "DNS:eve.test")
        stranger = self.channel(daemon, "DNS:spiffe.test,URI:spiffe://test/bobby")
        index = messages.RepositoryIndexRequest()
        for channel, metadata, infers, indexes in (
                (nobody, (), CODES.UNAUTHENTICATED, CODES.UNAUTHENTICATED),
                (nobody, bearer(TOKEN), CODES.OK, CODES.PERMISSION_DENIED),
                (nobody, bearer("wrong"), CODES.UNAUTHENTICATED, CODES.UNAUTHENTICATED),
                (nobody, (("authorization", "Basic wrong"),), CODES.UNAUTHENTICATED,
                 CODES.UNAUTHENTICATED),
                (bob, (), CODES.OK, CODES.OK),
                # A token counts before the certificate.
                (bob, bearer(TOKEN), CODES.OK, CODES.PERMISSION_DENIED),
                (bob, bearer("wrong"), CODES.UNAUTHENTICATED, CODES.UNAUTHENTICATED),
                (eve, (), CODES.PERMISSION_DENIED, CODES.PERMISSION_DENIED),
                (stranger, (), CODES.UNAUTHENTICATED, CODES.UNAUTHENTICATED)):
            self.assertEqual(self.code(channel, metadata=metadata), infers)
            self.assertEqual(self.code(channel, "RepositoryIndex", index, metadata), indexes)
        self.assertNotIn(TOKEN, daemon.log())

    def test_refused_calls_are_in_the_access_log(self):
        daemon = self.serve_tls(RULES, "--access-log-rate", "1")
        channel = self.channel(daemon)
        self.code(channel)
        self.code(channel, "RepositoryModelLoad",
                  messages.RepositoryModelLoadRequest(model_name="identity"), bearer(TOKEN))
        stream = service.GRPCInferenceServiceStub(channel).ModelStreamInfer
        with self.assertRaises(grpc.RpcError):
            list(stream(iter([identity_request()]), metadata=bearer("wrong"), timeout=30))
        wait_until(lambda: daemon.log().count(" access ") == 3)
        lines = [line for line in daemon.log().splitlines() if " access " in line]
        for line, method, code in zip(lines, ("inference", "model-repository", "inference"),
                                      ("UNAUTHENTICATED", "PERMISSION_DENIED", "UNAUTHENTICATED")):
            self.assertRegex(line, rf"method={method} .*code={code} .*peer=\S*(127.0.0.1|::1)")
            self.assertNotIn(TOKEN, line)

    def test_tritonclient_sends_a_token_as_a_header(self):
        daemon = self.serve_tls(RULES)
        client = triton.InferenceServerClient(
            f"localhost:{daemon.grpc.rsplit(':', 1)[1]}", ssl=True,
            root_certificates=self.authority.certificate)
        headers = {"authorization": f"Bearer {TOKEN}"}
        given = triton.InferInput("x", [1, 16], "FP32")
        given.set_data_from_numpy(np.ones([1, 16], np.float32))
        self.assertEqual(client.infer("identity", [given], headers=headers).as_numpy("y").sum(), 16)
        answers = queue.Queue()
        client.start_stream(lambda result, error: answers.put((result, error)), headers=headers)
        client.async_stream_infer("identity", [given])
        self.assertIsNone(answers.get(timeout=30)[1])
        client.stop_stream()
        with self.assertRaisesRegex(Exception, "PERMISSION_DENIED.*model-repository"):
            client.get_model_repository_index(headers=headers)

    def test_tokens_are_refused_in_plaintext_unless_allowed(self):
        daemon = self.serve(RULES)
        self.assertEqual(self.code(daemon.channel(), metadata=bearer(TOKEN)),
                         CODES.UNAUTHENTICATED)
        allowed = self.serve(RULES, "--allow-plaintext-tokens")
        self.assertEqual(self.code(allowed.channel(), metadata=bearer(TOKEN)), CODES.OK)

    def test_changed_rules_count_and_bad_ones_do_not(self):
        self.write("", "tokens")
        daemon = self.serve(RULES + 'token_file: "tokens"', "--allow-plaintext-tokens")
        channel = daemon.channel()
        self.assertEqual(self.code(channel, metadata=bearer("new")), CODES.UNAUTHENTICATED)
        self.write(f"{hashlib.sha256(b'new').hexdigest()}  bob\n", "tokens")
        wait_until(lambda: self.code(channel, metadata=bearer("new")) == CODES.OK)
        self.write("role {")
        wait_until(lambda: daemon.metrics()["inferd_access_reload_failing"] == 1)
        self.assertEqual(self.code(channel, metadata=bearer("new")), CODES.OK)
        self.write('role { name: "all" allow: INFERENCE } anonymous_role: "all"')
        wait_until(lambda: self.code(channel) == CODES.OK)
        self.assertEqual(self.code(channel, metadata=bearer("new")), CODES.UNAUTHENTICATED)
        self.assertEqual(daemon.metrics()["inferd_access_reload_failing"], 0)


if __name__ == "__main__":
    unittest.main()
