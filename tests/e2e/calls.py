"""ModelInfer requests, right and wrong ones, and the calls that the clients lack."""

import struct

from e2e.clients import grpc, messages, np


def pack_bytes(*elements):
    """BYTES on the wire: each element with its length before it."""
    return b"".join(struct.pack("<I", len(element)) + element for element in elements)


def tensor(name, datatype, shape):
    made = messages.ModelInferRequest.InferInputTensor(name=name, datatype=datatype)
    made.shape.extend(shape)
    return made


def request(model, inputs, raw=(), version="", outputs=(), **fields):
    made = messages.ModelInferRequest(model_name=model, model_version=version, **fields)
    made.inputs.extend(inputs)
    made.raw_input_contents.extend(raw)
    for name in outputs:
        made.outputs.add(name=name)
    return made


def identity_request(rows=1, width=16, **fields):
    data = np.arange(rows * width, dtype=np.float32)
    return request("identity", [tensor("x", "FP32", [rows, width])], [data.tobytes()], **fields)


def status_of(call, message, timeout=30):
    """(code, details) of a unary call; code OK when it succeeds."""
    try:
        call(message, timeout=timeout)
        return grpc.StatusCode.OK, ""
    except grpc.RpcError as error:
        return error.code(), error.details()


def _field(text):
    return b"\x0a" + bytes([len(text)]) + text.encode() if text else b""


HEALTH = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}


def _parse_health(data):
    return HEALTH[data[1] if len(data) >= 2 else 0]


def check_health(channel, name=""):
    call = channel.unary_unary(
        "/grpc.health.v1.Health/Check", lambda text: _field(text), _parse_health
    )
    return call(name, timeout=10)


def watch_health(channel, name=""):
    call = channel.unary_stream(
        "/grpc.health.v1.Health/Watch", lambda text: _field(text), _parse_health
    )
    return call(name, timeout=60)


def list_services(channel):
    """What reflection answers, as bytes that contain the services' names."""
    call = channel.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        lambda data: data,
        lambda data: data,
    )
    return next(iter(call(iter([b"\x3a\x01*"]), timeout=10)))
