"""A team's own trainer: it fine-tunes a PyTorch classifier whose champion is an ONNX export of it.

Put it into a package that is installed where the tasks run, write your network into `network`, and name the class in the monitor file:

    retraining:
      trainer: our_package.torch_trainer:TorchTrainer

It needs torch and onnx there, and no Triton (the compiler in PyTorch's ordinary build for Linux): TensorFlow cannot be in one process with
that. Driftwatch installs neither torch nor your package.
"""

from __future__ import annotations

import io
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.models import TimedEpochRow
from driftwatch.errors import NeedsAttention
from driftwatch.models.predictors.heads import Head
from driftwatch.models.predictors.tensors import tensor_of
from driftwatch.models.training.base import Attempt, Labelled, OnEpoch, Recipe, Start, Trained, TrainingSet

Weights = Mapping[str, np.ndarray]


class OnnxTrainer(ABC):
    """What every trainer needs that makes an ONNX file, whatever it trains with: `fit` and `step_seconds` are left to it.

    The network is given what `model.input` of the monitor file says (`data.given`): for PyTorch, usually with `layout: nchw`.
    """

    head = Head("logits")

    def train(
        self, data: TrainingSet, recipe: Recipe, start: Start | None = None, attempt: Attempt | None = None
    ) -> Trained:
        """See `Trainer.train`. This one keeps no checkpoints: a killed training starts anew, and gives the same bytes."""
        weights = weights_of(start.model) if start else {}
        model, history = self.fit(data, recipe, weights, attempt.on_epoch if attempt else None)
        return Trained(model, self.head, history, kind="onnx", input=data.given)

    def seconds(self, data: TrainingSet, recipe: Recipe, start: Start | None = None) -> float:
        """See `Trainer.seconds`."""
        return self.step_seconds(data, recipe) * recipe.steps(len(data.train.labels)) * recipe.epochs

    @abstractmethod
    def fit(
        self, data: TrainingSet, recipe: Recipe, weights: Weights, on_epoch: OnEpoch | None
    ) -> tuple[bytes, list[TimedEpochRow]]:
        """The bytes of the new model's ONNX file, and its epochs. `weights`: those of the champion by name; none to start from new ones."""

    @abstractmethod
    def step_seconds(self, data: TrainingSet, recipe: Recipe) -> float:
        """About how long one batch takes."""

    def batches(self, data: TrainingSet, recipe: Recipe, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """An epoch's batches: what the model is given, and the class indices. Images are drawn as often as their weights say. A last batch of
        one image is left out: batch normalisation has nothing to compare it with."""
        n = len(data.train.labels)
        shares = None if data.weights is None else data.weights / data.weights.sum()
        order = np.random.default_rng([recipe.seed, epoch]).choice(n, recipe.epoch_size or n, p=shares)
        for first in range(0, len(order), recipe.batch_size):
            batch = order[first : first + recipe.batch_size]
            if first and len(batch) == 1:
                return
            chosen = data.train.where(batch)
            yield tensor_of(chosen.images, data.given), chosen.labels


def weights_of(onnx_file: bytes) -> Weights:
    """The weights of an ONNX file, by the names that they had in the network. PyTorch keeps one of those that are equal, such as new biases,
    and the names of the others lead to it."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_from_string(onnx_file).graph
    found = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in found:
            found[node.output[0]] = found[node.input[0]]
    return found


def those_of(names: Sequence[str], weights: Weights) -> Weights:
    """The network's weights of these names. Raises NeedsAttention if the champion's file lacks any."""
    if missing := [name for name in names if name not in weights]:
        raise NeedsAttention(
            f"the champion's ONNX file lacks {len(missing)} of the network's {len(names)} weights, such as {missing[0]}: it is another network than that "
            "of `network`, or it was exported without training=torch.onnx.TrainingMode.PRESERVE, which melts weights into others. Export it "
            "anew, or set retraining.start_from: scratch"
        )
    return {name: weights[name] for name in names}


class TorchTrainer(OnnxTrainer):
    """Trains with PyTorch, on the processor."""

    def network(self, classes: int) -> Any:
        """Your network."""
        import torchvision

        return torchvision.models.resnet18(num_classes=classes)

    def fit(
        self, data: TrainingSet, recipe: Recipe, weights: Weights, on_epoch: OnEpoch | None
    ) -> tuple[bytes, list[TimedEpochRow]]:
        import torch

        torch.manual_seed(recipe.seed)
        torch.use_deterministic_algorithms(True)
        net, history = self.network(data.classes), []
        if weights:
            known = those_of(self.named(net), weights)
            net.load_state_dict({name: torch.from_numpy(weight.copy()) for name, weight in known.items()}, strict=False)
        optimizer = torch.optim.AdamW(net.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
        for epoch in range(recipe.epochs):
            began, losses, right, seen = time.perf_counter(), 0.0, 0, 0
            net.train()
            for images, labels in self.batches(data, recipe, epoch):
                answers, truth = net(torch.from_numpy(images)), torch.from_numpy(labels)
                loss = torch.nn.functional.cross_entropy(answers, truth, label_smoothing=recipe.label_smoothing)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses += loss.item() * len(labels)
                right += int((answers.argmax(1) == truth).sum())
                seen += len(labels)
            seconds = round(time.perf_counter() - began, 2)
            row = TimedEpochRow(epoch=epoch + 1, loss=losses / seen, accuracy=right / seen, seconds=seconds)
            history.append(row)
            if on_epoch:
                on_epoch(row)
        return self.exported(net, data.given), history

    def named(self, net: Any) -> list[str]:
        """The network's weights that an export keeps. Counters of batch normalisation are none of them."""
        return [name for name in net.state_dict() if not name.endswith("num_batches_tracked")]

    def exported(self, net: Any, given: ModelInput) -> bytes:
        """The network as ONNX, with its weights under their own names: without PRESERVE the export melts batch normalisation into others."""
        import torch

        net.eval()
        file, example = io.BytesIO(), torch.zeros(1, *given.shape)
        torch.onnx.export(
            net,
            (example,),
            file,
            input_names=["images"],
            output_names=["logits"],
            dynamic_axes={"images": {0: "n"}, "logits": {0: "n"}},
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
            dynamo=False,
        )
        return file.getvalue()

    def step_seconds(self, data: TrainingSet, recipe: Recipe) -> float:
        few = Labelled(
            data.train.images[:1].repeat(recipe.batch_size, 0), data.train.labels[:1].repeat(recipe.batch_size)
        )
        one = recipe.model_copy(update={"epochs": 1, "epoch_size": recipe.batch_size})
        began = time.perf_counter()
        self.fit(TrainingSet(few, data.classes, input=data.given), one, {}, None)
        return time.perf_counter() - began
