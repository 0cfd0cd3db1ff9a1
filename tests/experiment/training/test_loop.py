"""The training loop: determinism, checkpoints, validation and settings."""

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from stnscope.backend.experiment.catalog import OPTIMISERS, steps_per_epoch, with_defaults
from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.config import (
    DistortionConfig,
    LiveSettings,
    RunConfig,
    SamplerConfig,
)
from stnscope.backend.experiment.data.images import Dataset, Images
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.data.registry import DATASETS, SOURCES
from stnscope.backend.experiment.distortions.placement import centred
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.training.consistency import consistency_loss
from stnscope.backend.experiment.training.loop import (
    VALIDATE_EVERY,
    Batches,
    Step,
    Validation,
    model_state,
    train,
)
from stnscope.backend.experiment.training.optimisers import IMPLEMENTATIONS
from stnscope.models import weights
from stnscope.models.cards import Card, cards
from stnscope.models.transformer import Warp

LARGE = 1_000_000
"""Parameters from which on a network is slow to evaluate."""
SAMPLE, FEW = 300, 100
"""Held-out images on which weights are evaluated, if there are more; of large networks."""
SMALL = RunConfig(batch_size=16)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def step_number(steps: Iterator[Step], number: int) -> Step:
    return next(step for step in steps if step.step == number)


def assert_same(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor.nan_to_num(-1), second[name].nan_to_num(-1)), name


@pytest.mark.parametrize(
    "choice",
    [
        *({"architecture": name} for name in ("digits", "digits-cnn")),
        *({"optimiser": name} for name in OPTIMISERS if name != "adamw"),
        {"optimiser": "sgd", "schedule": "steps", "weight_decay": 0.0, "label_smoothing": 0.0},
        {"sampler": SamplerConfig(padding="background", background=0.5, supersampling=2)},
        {"ema_decay": 0.9, "precision": "bfloat16", "consistency": 1.0},
    ],
    ids=str,
)
def test_resuming_from_a_checkpoint_is_bit_identical(
    digits: Dataset, choice: dict[str, object]
) -> None:
    config = SMALL.model_copy(update=choice)
    straight = step_number(train(config, digits), 10)
    checkpoint = step_number(train(config, digits), 5).state()
    torch.rand(5)  # the global generator must not matter
    resumed = train(config, digits, checkpoint)
    assert next(resumed).step == 5
    again = step_number(resumed, 10)
    assert_same(straight.state(), again.state())
    assert straight.loss == again.loss


def test_checkpoint_has_the_latest_accuracy(digits: Dataset) -> None:
    state = step_number(train(SMALL, digits), VALIDATE_EVERY).state()
    step = next(train(SMALL, digits, state))
    assert step.validated_step == VALIDATE_EVERY
    assert step.accuracy is not None
    assert state["training"][1] == step.accuracy


def test_checkpoint_is_a_copy(digits: Dataset) -> None:
    steps = train(SMALL, digits)
    state = next(steps).state()
    before = {name: tensor.clone() for name, tensor in state.items()}
    next(steps)
    assert_same(state, before)


def test_checkpoint_of_another_network_is_refused(digits: Dataset) -> None:
    state = next(train(SMALL, digits)).state()
    other = SMALL.model_copy(update={"architecture": "digits-cnn"})
    with pytest.raises(InvalidInput, match="does not fit this run"):
        next(train(other, digits, state))


def test_global_generator_does_not_affect_training(digits: Dataset) -> None:
    first = step_number(train(SMALL, digits), 3)
    torch.manual_seed(99)
    second = step_number(train(SMALL, digits), 3)
    assert_same(first.state(), second.state())


def test_training_does_not_change_the_global_generator(digits: Dataset) -> None:
    before = torch.get_rng_state()
    step_number(train(SMALL, digits), 2)
    assert torch.equal(before, torch.get_rng_state())


def test_another_seed_trains_differently(digits: Dataset) -> None:
    first = step_number(train(SMALL, digits), 1)
    second = step_number(train(SMALL.model_copy(update={"seed": 1}), digits), 1)
    assert first.loss != second.loss


def test_batch_depends_only_on_its_step(digits: Dataset) -> None:
    config = RunConfig(batch_size=1000)
    sequential = Batches(config, digits)
    batches = [sequential.batch(step) for step in range(1, 27)]  # into the second epoch of 24
    direct = Batches(config, digits).batch(26)
    assert torch.equal(batches[25][0], direct[0])
    assert torch.equal(batches[25][1], direct[1])
    assert not torch.equal(batches[0][1], batches[24][1])


def test_epoch_has_every_digit_sixteen_times(digits: Dataset) -> None:
    config = RunConfig(batch_size=1000, distortion=DistortionConfig(name="centred"))
    batches = Batches(config, digits)
    counts = Counter(
        image.numpy().tobytes() for step in range(1, 25) for image in batches.batch(step)[0]
    )
    images = digits.train.pixels
    canvases = centred(images, images, torch.Generator(), 1.0, Canvas(48, 48))
    assert counts == Counter({image.numpy().tobytes(): 16 for image in canvases})


def test_held_out_images_are_never_trained_on(digits: Dataset) -> None:
    pixels = torch.full_like(digits.held_out.pixels, torch.nan)
    absent = dataclasses.replace(digits.held_out, pixels=pixels)
    trained = step_number(train(SMALL, dataclasses.replace(digits, held_out=absent)), 5)
    assert_same(trained.state(), step_number(train(SMALL, digits), 5).state())


def test_validation_is_the_same_for_every_run(digits: Dataset) -> None:
    first = Validation.build(RunConfig(seed=1), digits)
    second = Validation.build(RunConfig(seed=2, batch_size=7, epochs=1), digits)
    assert torch.equal(first.images, second.images)
    assert first.images.shape == (4 * 297, 1, 48, 48)
    copies = first.images.view(4, 297, 1, 48, 48)
    assert not any(torch.equal(a, b) for a, b in itertools.combinations(copies, 2))
    assert torch.equal(first.labels, digits.held_out.labels.repeat(4))


def test_accuracy_is_the_share_of_correct_labels(digits: Dataset) -> None:
    model = next(train(SMALL, digits)).model
    images = Validation.build(SMALL, digits).images[:200]
    with torch.inference_mode():
        predicted = model.eval()(images).logits.argmax(dim=1)
    wrong = predicted.clone()
    wrong[:50] = (wrong[:50] + 1) % 10
    assert Validation(images, predicted).accuracy(model) == 1
    assert Validation(images, wrong).accuracy(model) == 0.75


def test_localisation_has_its_own_learning_rate(digits: Dataset) -> None:
    still = SMALL.model_copy(update={"localisation_learning_rate": 0.0})
    steps = train(still, digits)
    before = {k: v.clone() for k, v in next(steps).model.named_parameters()}
    for name, parameter in step_number(steps, 3).model.named_parameters():
        assert torch.equal(parameter, before[name]) == name.startswith("stages.0."), name


@pytest.mark.parametrize(
    ("schedule", "rates"), [("constant", [2e-3, 4e-3]), ("steps", [2e-3, 4e-4])]
)
def test_learning_rate_is_the_schedule_s_fraction_of_the_current_peak(
    digits: Dataset, schedule: str, rates: list[float]
) -> None:
    """The peak is doubled after a third of 1,500 steps."""
    config = SMALL.model_copy(update={"epochs": 1, "schedule": schedule})
    default = LiveSettings.of(config)
    doubled = default.model_copy(update={"learning_rate": 4e-3})
    state = step_number(train(config, digits), 1).state()
    state["training"][0] = 499
    steps = train(config, digits, state, lambda step: default if step <= 500 else doubled)
    found = [step.learning_rate for step in itertools.islice(steps, 1, 3)]
    assert found == pytest.approx(rates)


def test_weight_decay_and_label_smoothing_are_used(digits: Dataset) -> None:
    plain = step_number(train(SMALL, digits), 2)
    smooth = SMALL.model_copy(update={"label_smoothing": 0.0})
    assert step_number(train(smooth, digits), 1).loss != step_number(train(SMALL, digits), 1).loss
    decaying = SMALL.model_copy(update={"weight_decay": 0.9})
    assert step_number(train(decaying, digits), 2).loss != plain.loss


def test_averaged_weights_are_what_is_evaluated(digits: Dataset) -> None:
    """After the first step they are its weights, then the decay rises."""
    config = SMALL.model_copy(update={"ema_decay": 0.9})
    steps = train(config, digits)
    expected: dict[str, Tensor] = {}
    for step in itertools.islice(steps, 1, 4):
        trained = {k: v.clone() for k, v in step.trained.named_parameters()}
        decay = step.step / (9 + step.step)
        expected = {k: v.lerp(trained[k], 1 - decay) for k, v in expected.items()} or trained
    averages = dict(step.model.named_parameters())
    assert step.model is not step.trained
    for name, average in averages.items():
        assert average.allclose(expected[name], atol=1e-6), name
        assert torch.equal(model_state(step.state())[name], average)
    plain = step_number(train(SMALL, digits), 3)
    assert plain.model is plain.trained
    assert_same({k: v.detach() for k, v in plain.model.named_parameters()}, trained)


def test_bfloat16_is_for_training_alone(digits: Dataset) -> None:
    half = step_number(train(SMALL.model_copy(update={"precision": "bfloat16"}), digits), 2)
    single = step_number(train(SMALL, digits), 2)
    assert half.loss != single.loss
    assert half.loss == pytest.approx(single.loss, abs=0.05)
    assert {parameter.dtype for parameter in half.model.parameters()} == {torch.float32}
    logits = Validation.build(SMALL, digits).logits(half.model)
    assert not torch.equal(logits, logits.bfloat16().float())


def test_consistency_loss_compares_two_distortions_of_each_image(digits: Dataset) -> None:
    config = SMALL.model_copy(
        update={"consistency": 1.0, "distortion": DistortionConfig(name="centred")}
    )
    images, labels = Batches(config, digits).batch(1)
    assert len(images) == config.batch_size
    assert torch.equal(images[:8], images[8:])
    assert torch.equal(labels[:8], labels[8:])
    images, _ = Batches(config.model_copy(update={"distortion": SMALL.distortion}), digits).batch(1)
    assert not torch.equal(images[:8], images[8:])
    weak = config.model_copy(update={"consistency": 1e-9})
    losses = [step_number(train(c, digits), 1).loss or 0 for c in (config, weak)]
    assert losses[0] < losses[1], "equal outputs: only their contrast counts"


def test_consistency_loss_is_relative_and_rewards_contrast() -> None:
    draw = torch.Generator().manual_seed(4)
    one, other = torch.rand(2, 50, 1, 20, 20, generator=draw)

    def loss(*outputs: Tensor) -> float:
        batch = torch.cat(outputs)
        return consistency_loss(
            [Warp(batch.new_zeros(1), batch.new_zeros(1), batch, batch.new_zeros(1))]
        ).item()

    contrast = 2 / 12  # the variances of two uniform distributions
    assert loss(one, one) == pytest.approx(-contrast, abs=0.01)
    assert loss(one, other) == pytest.approx(1 - contrast, abs=0.02)
    assert loss(0.1 * one, 0.1 * other) == pytest.approx(1 - contrast / 100, abs=0.08)
    assert loss(torch.ones_like(one), torch.ones_like(one)) == 0


def test_last_step_is_validated(digits: Dataset) -> None:
    """Resumed three steps before the end."""
    last = SMALL.epochs * steps_per_epoch(SMALL, DATASETS[SMALL.dataset])
    state = step_number(train(SMALL, digits), 1).state()
    state["training"][0] = last - 3
    steps = list(train(SMALL, digits, state))
    assert [step.step for step in steps] == [last - 3, last - 2, last - 1, last]
    assert {step.epoch for step in steps} == {SMALL.epochs}
    assert steps[-1].validated_step == last
    assert steps[-1].accuracy is not None


@pytest.mark.seconds
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_loss_decreases(digits: Dataset, optimiser: str) -> None:
    config = with_defaults(RunConfig(optimiser=optimiser), digits.entry)
    losses = [step.loss or 0 for step in itertools.islice(train(config, digits), 1, 81)]
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])


def test_default_configuration_has_the_known_losses(digits: Dataset) -> None:
    losses = [step.loss for step in itertools.islice(train(RunConfig(), digits), 1, 6)]
    assert losses == pytest.approx([2.44109, 2.40614, 2.33497, 2.38095, 2.31043], abs=2e-3)


def test_checkpoint_of_another_optimiser_is_refused(digits: Dataset) -> None:
    state = step_number(train(SMALL, digits), 1).state()
    other = SMALL.model_copy(update={"optimiser": "sgd"})
    with pytest.raises(InvalidInput, match="momentum_buffer"):
        next(train(other, digits, state))


def test_catalog_and_implementation_have_the_same_optimisers() -> None:
    assert list(OPTIMISERS) == list(IMPLEMENTATIONS)
    assert OPTIMISERS["adamw"].weight_decay == RunConfig().weight_decay


def test_inconsistent_configuration_is_refused(digits: Dataset) -> None:
    with pytest.raises(InvalidInput):
        next(train(SMALL.model_copy(update={"family": "none"}), digits))


@pytest.mark.seconds
@pytest.mark.parametrize("name", sorted({card.dataset for card in cards().values()}))
def test_shipped_weights_have_their_cards_accuracy(name: str, real_data: Path) -> None:
    """All weights of a data set in one test: reading its files takes the longest."""
    if name in SOURCES and not real_data.exists():
        pytest.skip(f"{name} is not available here")
    dataset = load(name, real_data)
    is_sampled = len(dataset.held_out) > SAMPLE
    if is_sampled:
        dataset = sample_held_out(dataset)
    tolerance = 2e-2 if is_sampled else 2e-3
    for card in cards().values():
        if card.dataset != name:
            continue
        model, config = weights.load(card.name), config_of(card)
        assert sum(parameter.numel() for parameter in model.parameters()) == card.parameters
        images = Validation.build(config, dataset, complete=is_sampled)
        if card.parameters > LARGE:
            images = Validation(images.images[:FEW], images.labels[:FEW])
        accuracy = images.accuracy(model)
        assert accuracy == pytest.approx(card.accuracy, abs=tolerance), card.name


def sample_held_out(dataset: Dataset) -> Dataset:
    """Return a data set with some of its held-out images, without their tracks."""
    generator = torch.Generator().manual_seed(0)
    chosen = torch.randperm(len(dataset.held_out), generator=generator)[:SAMPLE]
    pixels, labels = dataset.held_out.pixels[chosen], dataset.held_out.labels[chosen]
    return dataclasses.replace(dataset, held_out=Images(pixels, labels))


def config_of(card: Card) -> RunConfig:
    return RunConfig(
        architecture=card.architecture,
        dataset=card.dataset,
        family=card.family,
        distortion=DistortionConfig(name=card.distortion),
    )


def test_shipped_digits_reach_their_accuracy() -> None:
    assert (cards()["digits"].accuracy or 0) >= 0.97
