#!/usr/bin/env python3
"""The README's line for each call of the service, and the client's other ways to ask."""

import asyncio
import os
import queue
import re
import ssl
import unittest

import tritonclient.grpc.aio as aio
import tritonclient.utils.shared_memory as shm

from e2e import models
from e2e.certificates import Authority
from e2e.clients import messages, np, triton
from e2e.daemon import SOURCE, Daemon
from e2e.rest import triton_aio, triton_http

EXAMPLES = os.path.join(SOURCE, "config", "examples", "models")
SERVICE = messages.DESCRIPTOR.services_by_name["GRPCInferenceService"]


def fill_with_examples(repository):
    for name in ("digits", "fraud"):
        with open(f"{EXAMPLES}/{name}/1/model.onnx", "rb") as file:
            models.save(repository, name, file.read())


class ReadmeTest(unittest.TestCase):

    def test_every_call_works_as_it_says(self):
        with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
            section = re.search(r"\n## Every call\n(.*?)\n## ", file.read(), re.DOTALL).group(1)
        setup = re.search(r"```python\n(.*?)```", section, re.DOTALL).group(1)
        rows = re.findall(r"^\| (\w+) \| (.*?) \| `(.*)` \|$", section, re.MULTILINE)
        self.assertEqual(
            sorted(name for name, _, _ in rows), sorted(m.name for m in SERVICE.methods)
        )
        arguments = re.search(r"--model-repository config/examples/models (.*?)\n```", section,
                              re.DOTALL).group(1)
        arguments = arguments.replace("\\\n", " ").replace("'*'", "*").split()
        key = f"/images-{os.getpid()}"
        with Daemon(fill_with_examples, *arguments) as daemon:
            names = {}
            exec(setup.replace("127.0.0.1:8001", daemon.grpc).replace("/images", key), names)
            self.addCleanup(shm.destroy_shared_memory_region, names["region"])
            for name, meaning, line in rows:
                with self.subTest(name):
                    line = line.replace("print(result or error)", "answers.put((result, error))")
                    names["answers"] = queue.SimpleQueue()
                    if "UNIMPLEMENTED" in meaning:
                        with self.assertRaisesRegex(triton.InferenceServerException, "without a device"):
                            exec(line, names)
                        continue
                    exec(line.replace('"/images"', f'"{key}"'), names)
                    if name == "ModelStreamInfer":
                        result, error = names["answers"].get(timeout=30)
                        self.assertIsNone(error)
                        self.assertEqual(result.as_numpy("probabilities").shape, (1, 10))
            index = {m.name: m.state for m in daemon.client().get_model_repository_index().models}
            self.assertEqual(index["digits"], "READY")
            self.assertNotEqual(index["fraud"], "READY")


ROWS = np.arange(32, dtype=np.float32).reshape(2, 16)


def rows_for(module):
    given = module.InferInput("x", list(ROWS.shape), "FP32")
    given.set_data_from_numpy(ROWS)
    return given


class ClientTest(unittest.TestCase):
    """Each way of the client to ask, over plain connections."""

    # Of the clients; the ports are those of the daemon.
    host, grpc_flags, aio_http_flags, http_flags = "127.0.0.1", {}, {}, {}

    @classmethod
    def daemon_flags(cls):
        return []

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(
            Daemon(lambda folder: models.save(folder, "identity", models.identity()),
                   "--shared-memory", *cls.daemon_flags())
        )

    def at(self, port):
        return f"{self.host}:{self.daemon.addresses[port].rsplit(':', 1)[1]}"

    def client(self):
        return triton.InferenceServerClient(self.at("grpc"), **self.grpc_flags)

    def http_client(self):
        client = triton_http.InferenceServerClient(self.at("http"), concurrency=4,
                                                   **self.http_flags)
        self.addCleanup(client.close)
        return client

    def region(self, client):
        """Registers a region "region" whose first half holds the rows."""
        key = f"/client-{os.getpid()}-{self.id().rsplit('.', 1)[1]}"[:60]
        region = shm.create_shared_memory_region("region", key, 2 * ROWS.nbytes)
        self.addCleanup(shm.destroy_shared_memory_region, region)
        shm.set_shared_memory_region(region, [ROWS])
        client.unregister_system_shared_memory()
        client.register_system_shared_memory("region", key, 2 * ROWS.nbytes)
        return region

    def in_region(self, module):
        """Input and requested output in that region, one after the other."""
        given = module.InferInput("x", list(ROWS.shape), "FP32")
        given.set_shared_memory("region", ROWS.nbytes)
        wanted = module.InferRequestedOutput("y")
        wanted.set_shared_memory("region", ROWS.nbytes, ROWS.nbytes)
        return {"inputs": [given], "outputs": [wanted]}

    def check_region(self, region):
        written = shm.get_contents_as_numpy(region, np.float32, ROWS.shape, ROWS.nbytes)
        np.testing.assert_array_equal(written, ROWS)

    def check(self, result, error=None):
        self.assertIsNone(error)
        np.testing.assert_array_equal(result.as_numpy("y"), ROWS)

    def test_calls_wait_or_call_back(self):
        client, answers = self.client(), queue.SimpleQueue()
        self.check(client.infer("identity", [rows_for(triton)]))
        for _ in range(20):
            client.async_infer("identity", [rows_for(triton)],
                               callback=lambda result, error: answers.put((result, error)))
        for _ in range(20):
            self.check(*answers.get(timeout=30))

    def test_streams(self):
        client, answers = self.client(), queue.SimpleQueue()
        client.start_stream(lambda result, error: answers.put((result, error)))
        for i in range(20):
            client.async_stream_infer("identity", [rows_for(triton)], request_id=str(i))
        for i in range(20):
            result, error = answers.get(timeout=30)
            self.check(result, error)
            self.assertEqual(result.get_response().id, str(i))
        client.stop_stream()

    def test_tensors_in_shared_memory(self):
        client = self.client()
        region = self.region(client)
        result = client.infer("identity", **self.in_region(triton))
        name = result.get_output("y").parameters["shared_memory_region"].string_param
        self.assertEqual(name, "region")
        self.check_region(region)

    def test_streams_through_shared_memory(self):
        client, answers = self.client(), queue.SimpleQueue()
        region = self.region(client)
        client.start_stream(lambda result, error: answers.put((result, error)))
        client.async_stream_infer("identity", **self.in_region(triton))
        _, error = answers.get(timeout=30)
        client.stop_stream()
        self.assertIsNone(error)
        self.check_region(region)

    def test_http_calls_wait_or_are_fetched_later(self):
        client = self.http_client()
        self.check(client.infer("identity", [rows_for(triton_http)]))
        later = [client.async_infer("identity", [rows_for(triton_http)]) for _ in range(20)]
        for call in later:
            self.check(call.get_result())

    def test_http_with_tensors_in_shared_memory(self):
        client = self.http_client()
        region = self.region(client)
        result = client.infer("identity", **self.in_region(triton_http))
        self.assertEqual(result.get_output("y")["shape"], list(ROWS.shape))
        self.check_region(region)

    def test_the_asyncio_client(self):
        async def ask():
            async with aio.InferenceServerClient(self.at("grpc"), **self.grpc_flags) as client:
                self.assertTrue(await client.is_server_live())
                for answer in await asyncio.gather(
                    *(client.infer("identity", [rows_for(aio)]) for i in range(20))
                ):
                    self.check(answer)

                async def requests():
                    for i in range(20):
                        yield {"model_name": "identity", "inputs": [rows_for(aio)],
                               "request_id": str(i)}

                ids = []
                async for result, error in client.stream_infer(requests()):
                    self.check(result, error)
                    ids.append(result.get_response().id)
                self.assertEqual(ids, [str(i) for i in range(20)])

        asyncio.run(asyncio.wait_for(ask(), 60))

    def test_the_asyncio_client_over_http(self):
        async def ask():
            async with triton_aio.InferenceServerClient(self.at("http"),
                                                        **self.aio_http_flags) as client:
                for answer in await asyncio.gather(
                    *(client.infer("identity", [rows_for(triton_aio)]) for i in range(20))
                ):
                    self.check(answer)

        asyncio.run(asyncio.wait_for(ask(), 60))


class TlsClientTest(ClientTest):
    """The same over TLS."""

    @classmethod
    def daemon_flags(cls):
        authority = cls.enterClassContext(Authority())
        pair = authority.issue("server")
        cls.host = "localhost"
        cls.grpc_flags = {"ssl": True, "root_certificates": authority.certificate}
        trust = ssl.create_default_context(cafile=authority.certificate)
        cls.http_flags = {"ssl": True, "ssl_options": {"ca_certs": authority.certificate}}
        cls.aio_http_flags = {"ssl": True, "ssl_context": trust}
        return ["--tls-cert", pair[0], "--tls-key", pair[1]]


if __name__ == "__main__":
    unittest.main()
