"""How much of the gradient comes back through four sigmoids: run it with python."""

from __future__ import annotations

from pathlib import Path

import torch

import archdsl

CHAINS = Path(__file__).with_name("chains.arch")
BOUND = 0.25**3


def share(network: torch.nn.Module, weights: torch.Tensor, biases: torch.Tensor, x: float) -> float:
    """dL/db1 over dL/db4, by backpropagation; the loss is the output."""
    network.zero_grad()
    layers = [network.n1, network.n2, network.n3, network.n4]
    with torch.no_grad():
        for layer, weight, bias in zip(layers, weights, biases, strict=True):
            layer.weight.fill_(weight)
            layer.bias.fill_(bias)
    network(torch.full((1, 1), x, dtype=torch.double)).sum().backward()
    return (network.n1.bias.grad / network.n4.bias.grad).item()


def main() -> None:
    network = archdsl.load(f"{CHAINS}:FourNeurons").module().double()
    print(f"bound: (1/4)³ = {BOUND:.6f}")
    chance = torch.Generator().manual_seed(0)
    found = []
    for _ in range(200):
        weights = 2 * torch.rand(4, generator=chance) - 1
        biases = torch.randn(4, generator=chance)
        found.append(abs(share(network, weights, biases, torch.randn(1, generator=chance).item())))
    drawn = torch.tensor(found)
    print(f"200 chains of chance, weights between -1 and 1: median {drawn.median():.2g}, largest {drawn.max():.2g}")
    for weight in (0.9, 0.99, 0.999):
        # every neuron at the middle of its sigmoid, where the slope is 1/4
        weights, biases = torch.full((4,), weight), torch.tensor([0.0, *[-weight / 2] * 3])
        print(f"the worst case, weights {weight}: {share(network, weights, biases, 0.0):.6f}")


if __name__ == "__main__":
    main()
