# SPDX-License-Identifier: BSD-3-Clause
"""The time of a training step of examples/training.c beside that of the same network in PyTorch.

    python3 tools/torch_training.py PROGRAM [THREADS]

PROGRAM is the compiled example. Not part of the tests: it needs PyTorch.
"""
import os
import subprocess
import sys
import time

import torch

BATCH, SIDE, HIDDEN, STEPS = 8, 64, 16, 200


def step_seconds():
    nn = torch.nn
    network = nn.Sequential(
        nn.Conv2d(1, HIDDEN, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(HIDDEN, 2 * HIDDEN, 3, padding=1), nn.ReLU(),
        nn.ConvTranspose2d(2 * HIDDEN, HIDDEN, 2, stride=2), nn.ReLU(),
        nn.Conv2d(HIDDEN, 1, 3, padding=1))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.2)
    x, wanted = torch.rand(BATCH, 1, SIDE, SIDE), torch.rand(BATCH, 1, SIDE, SIDE)
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(network(x), wanted).backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    return sum(times) / STEPS


def main():
    threads = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    torch.set_num_threads(threads)
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    words = [sys.argv[1], str(STEPS)]
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=environment)
    print(f"faltung: {done.stdout.splitlines()[-1]}")
    print(f"PyTorch {torch.__version__}: {1e3 * step_seconds():.2f} ms a step, {threads} thread(s)")


main()
