#!/usr/bin/env python3
"""The README's line for each call of the service, and the client's other ways to ask."""

import asyncio
import os
import queue
import re
import unittest

import tritonclient.grpc.aio as aio
import tritonclient.utils.shared_memory as shm

from e2e import models
from e2e.clients import messages, np, triton
from e2e.daemon import SOURCE, Daemon

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
                        with self.assertRaisesRegex(triton.InferenceServerException, "no CUDA"):
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


class ClientTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(
            Daemon(lambda folder: models.save(folder, "identity", models.identity()),
                   "--shared-memory")
        )

    def test_the_asyncio_client(self):
        async def ask():
            async with aio.InferenceServerClient(self.daemon.grpc) as client:
                self.assertTrue(await client.is_server_live())
                rows = np.arange(32, dtype=np.float32).reshape(2, 16)
                value = aio.InferInput("x", [2, 16], "FP32")
                value.set_data_from_numpy(rows)
                answers = await asyncio.gather(
                    *(client.infer("identity", [value], request_id=str(i)) for i in range(20))
                )
                for i, answer in enumerate(answers):
                    self.assertEqual(answer.get_response().id, str(i))
                    np.testing.assert_array_equal(answer.as_numpy("y"), rows)

                async def requests():
                    for i in range(20):
                        yield {"model_name": "identity", "inputs": [value], "request_id": str(i)}

                ids = []
                async for result, error in client.stream_infer(requests()):
                    self.assertIsNone(error)
                    ids.append(result.get_response().id)
                self.assertEqual(ids, [str(i) for i in range(20)])

        asyncio.run(asyncio.wait_for(ask(), 60))

    def test_streams_through_shared_memory(self):
        client, key = self.daemon.client(), f"/stream-{os.getpid()}"
        region = shm.create_shared_memory_region("stream", key, 128)
        self.addCleanup(shm.destroy_shared_memory_region, region)
        client.register_system_shared_memory("stream", key, 128)
        row = np.arange(16, dtype=np.float32).reshape(1, 16)
        shm.set_shared_memory_region(region, [row])
        value = triton.InferInput("x", [1, 16], "FP32")
        value.set_shared_memory("stream", 64)
        output = triton.InferRequestedOutput("y")
        output.set_shared_memory("stream", 64, 64)
        answers = queue.SimpleQueue()
        client.start_stream(lambda result, error: answers.put((result, error)))
        client.async_stream_infer("identity", [value], outputs=[output])
        result, error = answers.get(timeout=30)
        client.stop_stream()
        self.assertIsNone(error)
        self.assertEqual(
            result.get_output("y").parameters["shared_memory_region"].string_param, "stream"
        )
        np.testing.assert_array_equal(
            shm.get_contents_as_numpy(region, np.float32, [1, 16], 64), row
        )


if __name__ == "__main__":
    unittest.main()
