#!/usr/bin/env python3
"""Trains the `digits` example: a small CNN on the handwritten digits that scikit-learn ships.

usage: train_digits.py [MODELS_DIR]     needs torch, onnx, scikit-learn; takes about a minute
Input `image` float32 [batch,1,8,8] with pixels 0 (white) to 16 (black); output `probabilities`
float32 [batch,10]. Prints the accuracy on the quarter of the images that training never saw.
"""

import os
import sys
import warnings

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

EPOCHS = 60
BATCH = 64


class Digits(nn.Module):

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 48, 3, padding=1, bias=False),
            nn.BatchNorm2d(48),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(1),
        )
        self.classify = nn.Linear(48, 10)

    def logits(self, image):
        return self.classify(self.features(image / 16.0))

    def forward(self, image):
        return torch.softmax(self.logits(image), dim=1)


def split_digits():
    images, labels = load_digits(return_X_y=True)
    images = images.astype(np.float32).reshape(-1, 1, 8, 8)
    return train_test_split(images, labels, test_size=0.25, random_state=0, stratify=labels)


def shifted(images, generator):
    """Each image moved by up to one pixel, so that 1,347 of them go further."""
    padded = nn.functional.pad(images, (1, 1, 1, 1))
    rows = torch.randint(0, 3, (len(images),), generator=generator)
    columns = torch.randint(0, 3, (len(images),), generator=generator)
    return torch.stack([p[:, r : r + 8, c : c + 8] for p, r, c in zip(padded, rows, columns)])


def train(images, labels):
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model = Digits()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    steps = EPOCHS * (len(images) // BATCH + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=steps)
    for _ in range(EPOCHS):
        order = torch.randperm(len(images), generator=generator)
        for rows in order.split(BATCH):
            loss = nn.functional.cross_entropy(
                model.logits(shifted(images[rows], generator)), labels[rows]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def main():
    folder = os.path.join(
        (
            sys.argv[1]
            if len(sys.argv) > 1
            else os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")
        ),
        "digits",
    )
    train_images, test_images, train_labels, test_labels = split_digits()
    model = train(torch.from_numpy(train_images), torch.from_numpy(train_labels))
    with torch.no_grad():
        answers = model(torch.from_numpy(test_images)).argmax(1).numpy()
    print(
        f"digits: {(answers == test_labels).mean():.2%} of {len(test_labels)} unseen images right"
    )
    os.makedirs(f"{folder}/1", exist_ok=True)
    warnings.filterwarnings("ignore")
    torch.onnx.export(
        model,
        (torch.zeros(1, 1, 8, 8),),
        f"{folder}/1/model.onnx",
        dynamo=False,
        input_names=["image"],
        output_names=["probabilities"],
        opset_version=17,
        dynamic_axes={"image": {0: "batch"}, "probabilities": {0: "batch"}},
    )
    with open(f"{folder}/labels.txt", "w", encoding="utf-8") as file:
        file.writelines(f"{digit}\n" for digit in range(10))
    print(f"wrote {folder}/1/model.onnx, {os.path.getsize(f'{folder}/1/model.onnx')} bytes")


if __name__ == "__main__":
    main()
