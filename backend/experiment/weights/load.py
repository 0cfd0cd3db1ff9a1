"""Load trained weights into their network."""

from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.training.loop import model_state, to_tensors
from stnscope.backend.experiment.weights.trained_weights import TrainedWeights
from stnscope.backend.experiment.weights.weights_folder import check_is_no_pickle
from stnscope.models.architectures import build
from stnscope.models.catalog import ARCHITECTURES, FAMILIES
from stnscope.models.network import Network
from stnscope.models.weights import WeightsError, load_into, load_state


def load(weights: TrainedWeights) -> Network:
    """Return the network of weights, in evaluation mode.

    Raises:
        InvalidInput: the network is not known, or the file does not fit it; the text names what is
            missing, unexpected, or of another shape.
        RecordingError: the recording cannot be read.
    """
    card, sampler = weights.card, weights.sampler
    if card.architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise InvalidInput(f"There is no network {card.architecture!r}; there are {known}.")
    if card.family not in FAMILIES:
        raise InvalidInput(f"There is no family {card.family!r}; there are {', '.join(FAMILIES)}.")
    network = build(
        card.architecture,
        card.family,
        len(card.classes),
        padding=sampler.padding_value,
        supersampling=sampler.supersampling,
    )
    try:
        if weights.step is None:
            check_is_no_pickle(weights.path)
            load_into(network, weights.path)
        else:
            with Recording.open(weights.path) as recording:
                arrays = recording.checkpoint_at(weights.step).tensors
            state = model_state(to_tensors(arrays))
            load_state(network, state, f"The checkpoint of run {weights.path.stem}")
    except WeightsError as error:
        raise InvalidInput(str(error)) from error
    return network.eval()
