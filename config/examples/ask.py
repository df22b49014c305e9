#!/usr/bin/env python3
"""Asks each example model one real question over gRPC and prints the answers in words.

usage: ask.py --grpc HOST:PORT --models DIR     DIR holds the models' labels.txt
Exits 0 when every model that DIR holds gave the right answer.
"""

import argparse
import os
import sys

import numpy as np
import tritonclient.grpc as client

# A handwritten seven, 8x8 pixels from 0 (white) to 16 (black); from scikit-learn's digits.
SEVEN = [
    [0, 0, 7, 8, 13, 16, 15, 1],
    [0, 0, 7, 7, 4, 11, 12, 0],
    [0, 0, 0, 0, 8, 13, 1, 0],
    [0, 4, 8, 8, 15, 15, 6, 0],
    [0, 2, 11, 15, 15, 4, 0, 0],
    [0, 0, 0, 16, 5, 0, 0, 0],
    [0, 0, 9, 15, 1, 0, 0, 0],
    [0, 0, 13, 5, 0, 0, 0, 0],
]
TRANSACTIONS = [  # amount, km from home, hour, merchant, what it is
    (23.90, 2.0, 14, "grocery", "honest"),
    (1899.00, 640.0, 3, "jewellery", "fraud"),
]


def tensor(name, array, datatype):
    value = client.InferInput(name, list(array.shape), datatype)
    value.set_data_from_numpy(array)
    return value


def ask_digits(server, labels):
    image = np.array(SEVEN, np.float32).reshape(1, 1, 8, 8)
    for row in SEVEN:
        print("    " + "".join(" .:-=+*#@"[pixel // 2] * 2 for pixel in row))
    answer = server.infer("digits", [tensor("image", image, "FP32")]).as_numpy("probabilities")[0]
    best = int(answer.argmax())
    print(f"  digits: This image shows a {labels[best]} ({answer[best]:.1%}).")
    return labels[best] == "7"


def ask_fraud(server, labels):
    columns = list(zip(*TRANSACTIONS))
    inputs = [
        tensor(name, np.array(column, np.float32).reshape(-1, 1), "FP32")
        for name, column in zip(("amount", "distance_km", "hour"), columns)
    ]
    inputs.append(
        tensor("merchant", np.array(columns[3], dtype=np.object_).reshape(-1, 1), "BYTES")
    )
    answer = server.infer("fraud", inputs)
    right = True
    for row, transaction in enumerate(TRANSACTIONS):
        amount, distance, hour, merchant, expected = transaction
        label = labels[int(answer.as_numpy("label")[row])]
        sure = answer.as_numpy("probabilities")[row].max()
        print(
            f"  fraud: {amount:.2f} at a {merchant} shop at {hour}:00, {distance:.0f} km away, "
            f"looks like {label} ({sure:.1%})."
        )
        right = right and label == expected
    return right


def ask_filetype(server, labels):
    path = os.path.abspath(__file__)
    with open(path, "rb") as file:
        content = file.read()
    # The model's own convention: 1,024 bytes of either end, white space stripped, padded with 256.
    tokens = np.full((1, 2048), 256, np.int32)
    head = content[:4096].lstrip()[:1024]
    tail = content[-4096:].rstrip()[-1024:]
    tokens[0, : len(head)] = list(head)
    tokens[0, 2048 - len(tail) :] = list(tail)
    answer = server.infer("filetype", [tensor("bytes", tokens, "INT32")]).as_numpy("target_label")[
        0
    ]
    best = int(answer.argmax())
    print(f"  filetype: The file {os.path.basename(path)} is {labels[best]} ({answer[best]:.1%}).")
    return labels[best] == "python"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--grpc", default="127.0.0.1:8001", help="the daemon's gRPC address")
    parser.add_argument("--models", required=True, help="the model repository's folder")
    arguments = parser.parse_args()
    server = client.InferenceServerClient(arguments.grpc)
    wrong = []
    for name, ask in (("digits", ask_digits), ("fraud", ask_fraud), ("filetype", ask_filetype)):
        if not os.path.exists(f"{arguments.models}/{name}/labels.txt"):
            continue
        with open(f"{arguments.models}/{name}/labels.txt", encoding="utf-8") as file:
            labels = file.read().split("\n")
        try:
            right = ask(server, labels)
        except client.InferenceServerException as error:
            print(f"  {name}: {error}")
            right = False
        if not right:
            wrong.append(name)
    if wrong:
        print(f"Not the expected answer: {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
