#!/usr/bin/env python3
"""The quantized and fused operators of com.microsoft against ONNX Runtime, over their options.

Integers may differ by one unit: implementations round sums and quotients in different orders.
"""

import itertools
import sys

from e2e.clients import np, onnx
from conformance.oracle import Case, check

RANDOM = np.random.default_rng(7)
TYPES = {"uint8": np.uint8, "int8": np.int8}


def floats(*shape, dtype=np.float32):
    return RANDOM.standard_normal(shape).astype(dtype)


def integers(dtype, *shape):
    info = np.iinfo(dtype)
    return RANDOM.integers(info.min, info.max + 1, shape).astype(dtype)


def scale(value=None):
    return np.float32(RANDOM.uniform(0.01, 0.1) if value is None else value)


def zero(dtype):
    info = np.iinfo(dtype)
    middle = (info.min + info.max + 1) // 2
    return dtype(middle + RANDOM.integers(-20, 20))


def quantized(dtype, *shape, point=True):
    """The three inputs of a quantized tensor."""
    return [integers(dtype, *shape), scale(), zero(dtype) if point else None]


def output(dtype, value=None, point=True):
    return [scale(value), zero(dtype) if point else None]


def elementwise():
    shapes = [((2, 3, 4), (2, 3, 4)), ((2, 3, 4), (4,)), ((3, 1), (1, 5)), ((), (3,))]
    for op, (name, dtype), (a, b) in itertools.product(
        ["QLinearAdd", "QLinearMul"], TYPES.items(), shapes
    ):
        inputs = quantized(dtype, *a) + quantized(dtype, *b) + output(dtype)
        yield Case(f"{op}_{name}_{a}_{b}", op, inputs)
    for op, (name, dtype), point in itertools.product(
        ["QLinearSigmoid", "QLinearLeakyRelu"], TYPES.items(), [True, False]
    ):
        inputs = quantized(dtype, 2, 7, point=point)
        attributes = {"alpha": 0.2} if op == "QLinearLeakyRelu" else {}
        given = output(dtype, 0.005 if op == "QLinearSigmoid" else None, point)
        yield Case(f"{op}_{name}_{point}", op, inputs + given, attributes=attributes)


def rearranging():
    for (name, dtype), axis in itertools.product(TYPES.items(), [0, 1, -1]):
        parts = [quantized(dtype, 2, 3, 2) for _ in range(3)]
        inputs = output(dtype) + sum(parts, [])
        yield Case(f"QLinearConcat_{name}_{axis}", "QLinearConcat", inputs, attributes={"axis": axis})
    for (name, dtype), shape in itertools.product(TYPES.items(), [(2, 3), (3,), (1, 1)]):
        condition = RANDOM.integers(0, 2, (2, 3)).astype(bool)
        inputs = [condition] + quantized(dtype, 2, 3) + quantized(dtype, *shape) + output(dtype)
        yield Case(f"QLinearWhere_{name}_{shape}", "QLinearWhere", inputs)
    for (name, dtype), opset, axis in itertools.product(TYPES.items(), [12, 13], [0, 1, -1]):
        inputs = quantized(dtype, 2, 3, 5) + [scale(1 / 256), zero(dtype)]
        attributes = {"axis": axis, "opset": opset}
        yield Case(
            f"QLinearSoftmax_{name}_{opset}_{axis}", "QLinearSoftmax", inputs, attributes=attributes
        )


def pools():
    windows = {
        "plain": {"kernel_shape": [2, 2]},
        "strided": {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]},
        "padding_counts": {"kernel_shape": [3, 3], "pads": [1] * 4, "count_include_pad": 1},
        "ceil": {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
        "same": {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
    }
    for (name, dtype), (window, attributes), last in itertools.product(
        TYPES.items(), windows.items(), [0, 1]
    ):
        shape = (2, 6, 7, 3) if last else (2, 3, 6, 7)
        inputs = quantized(dtype, *shape) + output(dtype)
        yield Case(
            f"QLinearAveragePool_{name}_{window}_{last}",
            "QLinearAveragePool",
            inputs,
            attributes={**attributes, "channels_last": last},
        )
        if last and "count_include_pad" not in attributes:
            yield Case(
                f"NhwcMaxPool_{name}_{window}", "NhwcMaxPool", inputs[:1], attributes=attributes
            )
    for (name, dtype), last in itertools.product(TYPES.items(), [0, 1]):
        inputs = quantized(dtype, 2, 4, 5, 3) + output(dtype)
        yield Case(
            f"QLinearGlobalAveragePool_{name}_{last}",
            "QLinearGlobalAveragePool",
            inputs,
            attributes={"channels_last": last},
        )


def convolutions():
    options = itertools.product(TYPES.items(), TYPES.items(), [0, 1], [1, 2], [0, 1])
    for (name, dtype), (weight_name, weight_dtype), last, group, per_channel in options:
        if name == "int8" and weight_name == "uint8":
            continue  # ONNX Runtime has no such kernel
        shape = (2, 6, 5, 4) if last else (2, 4, 6, 5)
        scales = RANDOM.uniform(0.01, 0.05, 6).astype(np.float32) if per_channel else scale()
        zeros = np.full(6, zero(weight_dtype)) if per_channel else zero(weight_dtype)
        weights = integers(weight_dtype, 6, 4 // group, 3, 3)
        inputs = quantized(dtype, *shape) + [weights, scales, zeros, scale(2.0), zero(dtype)]
        inputs.append(RANDOM.integers(-500, 500, 6).astype(np.int32))
        yield Case(
            f"QLinearConv_{name}_{weight_name}_{last}_{group}_{per_channel}",
            "QLinearConv",
            inputs,
            attributes={"channels_last": last, "group": group, "pads": [1] * 4, "strides": [1, 2]},
        )


def column_parameters(dtype, columns, per_column):
    if not per_column:
        return scale(), zero(dtype)
    scales = RANDOM.uniform(0.01, 0.1, columns).astype(np.float32)
    return scales, np.array([zero(dtype) for _ in range(columns)], dtype)


def products():
    shapes = [((3, 8), (8, 5)), ((2, 3, 8), (8, 5)), ((2, 3, 8), (2, 8, 5))]
    for (name, dtype), (a, b), per_column, bias, point in itertools.product(
        TYPES.items(), shapes, [0, 1], [0, 1], [0, 1]
    ):
        if per_column and len(b) == 3:
            continue
        scales, zeros = column_parameters(dtype, 5, per_column)
        zeros = zeros if point else None
        added = floats(5) if bias else None
        right = integers(dtype, *b)
        label = f"{name}_{a}_{b}_{per_column}_{bias}_{point}"
        yield Case(
            f"DynamicQuantizeMatMul_{label}",
            "DynamicQuantizeMatMul",
            [floats(*a), right, scales, zeros, added],
        )
        for left_name, left in TYPES.items():
            if left_name == "int8" and name == "uint8":
                continue  # ONNX Runtime has no such kernel
            inputs = [integers(left, *a), right, scale(), scales]
            inputs += [zero(left) if point else None, zeros, added]
            yield Case(f"MatMulIntegerToFloat_{left_name}_{label}", "MatMulIntegerToFloat", inputs)


def gemms():
    for (name, dtype), trans_a, trans_b, per_column, addend, to_float in itertools.product(
        TYPES.items(), [0, 1], [0, 1], [0, 1], [None, (4,), (3, 1), (3, 4)], [0, 1]
    ):
        scales, zeros = column_parameters(np.int8, 4, per_column)
        b = integers(np.int8, *((4, 6) if trans_b else (6, 4)))
        c = None if addend is None else RANDOM.integers(-900, 900, addend).astype(np.int32)
        inputs = quantized(dtype, *((6, 3) if trans_a else (3, 6))) + [b, scales, zeros, c]
        if not to_float:
            inputs += [scale(1.0), zero(dtype)]
        yield Case(
            f"QGemm_{name}_{trans_a}_{trans_b}_{per_column}_{addend}_{to_float}",
            "QGemm",
            inputs,
            attributes={"transA": trans_a, "transB": trans_b, "alpha": 0.5},
        )


def fused_gemms():
    activations = {
        "Relu": {},
        "Sigmoid": {},
        "Tanh": {},
        "Softplus": {},
        "Softsign": {},
        "LeakyRelu": {"activation_alpha": 0.3},
        "Elu": {"activation_alpha": 0.7},
        "ThresholdedRelu": {"activation_alpha": 0.5},
        "HardSigmoid": {"activation_alpha": 0.3, "activation_beta": 0.4},
        "Selu": {"activation_alpha": 1.5, "activation_gamma": 1.1},
    }
    for activation, attributes in activations.items():
        yield Case(
            f"FusedGemm_{activation}",
            "FusedGemm",
            [floats(3, 4), floats(5, 4), floats(5)],
            attributes={"activation": activation, "transB": 1, "beta": 0.5, **attributes},
        )


def packed(values, bits):
    """The last dimension packed into bytes, low bits first."""
    per_byte = 8 // bits
    missing = -values.shape[-1] % per_byte
    values = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)])
    values = values.reshape(*values.shape[:-1], -1, per_byte)
    return (values << (np.arange(per_byte) * bits)).sum(-1).astype(np.uint8)


def packed_weights():
    options = itertools.product([2, 4, 8], [(64, 16), (40, 16), (96, 32)], range(3), [0, 1], [0, 1])
    for bits, (columns, block), points, bias, groups in options:
        # ONNX Runtime refuses 8 bits there, and forgets the packed zero points next to g_idx.
        if (bits == 8 and points == 2) or (groups and (bits != 4 or points == 1)):
            continue
        rows, blocks = 5, -(-columns // block)
        weights = RANDOM.integers(0, 1 << bits, (rows, blocks, block))
        inputs = [floats(2, 3, columns), packed(weights, bits), floats(rows, blocks) * 0.1]
        zeros = RANDOM.integers(0, 1 << bits, (rows, blocks))
        inputs.append([None, packed(zeros, bits), zeros.astype(np.float32) + 0.5][points])
        order = RANDOM.permutation(np.arange(columns) // block).astype(np.int32)
        inputs.append(order if groups else None)
        inputs.append(floats(rows) if bias else None)
        yield Case(
            f"MatMulNBits_{bits}_{columns}_{block}_{points}_{bias}_{groups}",
            "MatMulNBits",
            inputs,
            attributes={"K": columns, "N": rows, "bits": bits, "block_size": block},
        )


def recurrent():
    for (name, dtype), direction, per_column, optional in itertools.product(
        TYPES.items(), ["forward", "reverse", "bidirectional"], [0, 1], [0, 1]
    ):
        steps, batch, inputs, hidden = 4, 2, 6, 5
        directions = 2 if direction == "bidirectional" else 1
        parameters = (directions, 4 * hidden) if per_column else (directions,)
        given = [floats(steps, batch, inputs)]
        given += [integers(dtype, directions, n, 4 * hidden) for n in (inputs, hidden)]
        if optional:
            given += [floats(directions, 8 * hidden), np.array([4, 4], np.int32)]
            given += [floats(directions, batch, hidden) for _ in range(2)]
            given.append(floats(directions, 3 * hidden))
        else:
            given += [None] * 5
        for _ in range(2):
            given.append(RANDOM.uniform(0.002, 0.01, parameters).astype(np.float32))
            # ONNX Runtime refuses others for signed weights by column.
            given.append(np.full(parameters, dtype(0) if per_column else zero(dtype)))
        yield Case(
            f"DynamicQuantizeLSTM_{name}_{direction}_{per_column}_{optional}",
            "DynamicQuantizeLSTM",
            given,
            outputs=3,
            attributes={"hidden_size": hidden, "direction": direction},
        )


def linear():
    for name, dtype in {**TYPES, "uint16": np.uint16, "int16": np.int16}.items():
        for axis in (None, 1):
            count = 3 if axis is not None else None
            scales = scale() if count is None else RANDOM.uniform(0.01, 0.1, 3).astype(np.float32)
            zeros = zero(dtype) if count is None else np.full(3, zero(dtype))
            attributes = {} if axis is None else {"axis": axis}
            for op, x in (
                ("QuantizeLinear", floats(2, 3, 4)),
                ("DequantizeLinear", integers(dtype, 2, 3, 4)),
            ):
                yield Case(f"{op}_{name}_{axis}", op, [x, scales, zeros], attributes=attributes)


def main():
    whole = [elementwise, rearranging, pools, convolutions, gemms, linear]
    real = [products, fused_gemms, packed_weights, recurrent]
    failed = check([case for make in whole for case in make()], rtol=0, atol=1.001)
    return check([case for make in real for case in make()], rtol=1e-4, atol=1e-4) or failed


if __name__ == "__main__":
    sys.exit(main())
