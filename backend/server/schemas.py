"""The shapes of the interface's JSON: of each response, and of each message that a stream sends.

`/openapi.json` and docs/interface.md are generated from them, and tests compare real responses with
them. A server does not validate its own responses at run time: a run with an odd value is still
listed.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from stnscope.backend.experiment.catalog import DatasetEntry, DistortionEntry, Preset
from stnscope.backend.experiment.catalog.training import Choice, Optimiser
from stnscope.backend.experiment.config import (
    LiveSettings,
    RunConfig,
    WatchConfig,
    WatchedSettings,
)
from stnscope.backend.experiment.data.layouts.find import SkippedFolder
from stnscope.backend.experiment.devices.choice import Device
from stnscope.backend.experiment.export.options import ExportDefaults
from stnscope.backend.experiment.limits import Count
from stnscope.backend.experiment.recording.schema import METRICS
from stnscope.backend.experiment.reproduction.result_tables import ResultTables
from stnscope.backend.experiment.reproduction.row_groups import RowGroup
from stnscope.backend.experiment.run_status import Deleted, Fault, Operation, Status
from stnscope.backend.experiment.sweeps.sweep_config import SweepConfig
from stnscope.backend.experiment.sweeps.table import FIGURES, Spread
from stnscope.models.cards import Card
from stnscope.models.catalog import Architecture, FamilyEntry

SweepAction = Literal["stop", "resume"]
SweepOperation = SweepAction | Literal["delete"]
"""All requests that change a sweep."""


class Health(BaseModel):
    """The server is ready."""

    status: Literal["ok"]
    version: str


class Access(BaseModel):
    """What a client may do, and what a link for others is made of."""

    may_act: bool = Field(description="Whether its token permits more than to view.")
    refusal: str | None = Field(description="Why it may not act; null if it may.")
    needs_token: bool = Field(description="Whether the server requires a token.")
    viewer_token: str | None = Field(description="The token for viewing, if there is one.")
    address: str | None = Field(
        description="Where other machines reach the server; null if only its own does."
    )


@dataclass(frozen=True)
class WeightsCard(Card):
    """What can transform a picture."""

    transformers: int | None = None
    """Number in its network; null for the network of a loop that is being watched."""
    without_transformer: str | None = None
    """The name of weights that ship, of the same data and distortion, without a transformer."""


class InvalidValue(BaseModel):
    """One thing that is wrong with a request."""

    field: str | None = Field(default=None, description="Path of the field, joined by dots.")
    detail: str = Field(description="What is wrong and what is expected, as a sentence.")


class Problem(BaseModel):
    """Problem details (RFC 9457): why a request failed."""

    type: Literal["about:blank"]
    title: str = Field(description="The status in words.")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What is wrong and what to do, as a sentence.")
    field: str | None = Field(default=None, description="The field that is wrong, if it is one.")
    errors: list[InvalidValue] | None = Field(
        default=None, description="All that is wrong with the values of a request; ten at most."
    )


class ClusterRun(BaseModel):
    """A run on a cluster, and what it needs of a node."""

    run: str
    cpus: float
    gpus: float


class WaitingRun(ClusterRun):
    """A run that waits for a node."""

    fits: bool = Field(
        description="Whether a node has what it needs, so that it waits for resources."
    )


class ClusterNode(BaseModel):
    """A node of a cluster, and what is trained there."""

    id: str
    name: str
    cpus: float
    gpus: float
    runs: list[ClusterRun]


class Cluster(BaseModel):
    """The Ray cluster that trains the runs of this server."""

    address: str | None = Field(description="Null if runs are trained on this machine.")
    refusal: str | None = Field(description="Why it is not used now; null if it is.")
    nodes: list[ClusterNode]
    waiting: list[WaitingRun] = Field(description="Runs that wait for a node, the oldest first.")


class Run(BaseModel):
    """A run: its configuration, its status and how far it is."""

    id: str
    name: str | None = Field(description="Given by a user; null if it has none.")
    sweep: str | None = Field(description="Id of the sweep that created it; null if none did.")
    created: float = Field(description="Seconds since 1970.")
    config: RunConfig | WatchConfig | None = Field(
        description="Runs recorded by an earlier version lack some of it. Null, as all that is "
        "unknown, if the recording cannot be read."
    )
    settings: LiveSettings | WatchedSettings | None = Field(
        description="What can be changed while it trains; null in a watched run whose loop has no "
        "pause point."
    )
    watched: bool = Field(
        description="Whether its loop is a program of its own, which records itself."
    )
    demonstration: bool = Field(description="Whether the server started it by itself.")
    imported: bool = Field(description="Whether its recording came from elsewhere.")
    owned: bool = Field(description="Whether this server trains it, or has queued it.")
    status: Status | Fault
    running: bool = Field(description="Whether steps are being trained.")
    node: str | None = Field(
        description="The node of the cluster that trains it; null if none does."
    )
    waits_for_cluster: bool = Field(description="Whether it waits for a node of the cluster.")
    unresponsive: bool = Field(
        description="Whether its trainer hangs: it can be stopped, or the run deleted."
    )
    live: bool = Field(description="Whether more frames may come.")
    complete: bool = Field(
        description="Whether it ended as requested: finished, or stopped by the user."
    )
    broken: bool = Field(description="Whether it failed, was interrupted, or cannot be read.")
    deleted: bool = Field(description="Whether its recording was removed; on its stream only.")
    can: list[Operation] = Field(
        description="What can be requested now; nothing with a token for viewing."
    )
    picture_refusal: str | None = Field(
        description="Why no picture can be added to its probes; null if one can."
    )
    resume_note: str | None = Field(
        description="What a resume on its device does not guarantee; null if the result is that of "
        "a run without interruption, bit for bit."
    )
    error: str | None = Field(description="Why it failed, is paused or cannot be read.")
    attempt: Count = Field(description="Rises each time that it is resumed.")
    step: Count = Field(description="Optimiser steps done.")
    steps: Count | None = Field(
        description="Optimiser steps of the whole run; null, as the next three, if a watched run's "
        "loop has not set it."
    )
    steps_per_epoch: Count | None
    epoch: Count | None
    epochs: Count | None
    loss: float | None = Field(description="Of the latest step.")
    accuracy: float | None = Field(description="The latest on held-out images.")
    validated_step: Count | None = Field(description="The step of that accuracy.")
    stillness: float | None
    collapsed: bool
    transformers: Count | None = Field(description="Spatial transformers of its network.")
    probes: Count = Field(description="Images that are observed, with those that were added.")
    added_at: list[Count] = Field(description="The steps at which pictures were added.")
    frames: Count = Field(description="Recorded frames.")
    first_step: Count | None = Field(description="The first recorded step.")
    last_step: Count | None = Field(description="The last recorded step.")
    thinned: Count = Field(description="How often every second ordinary frame was dropped.")


class RunWithNotes(Run):
    """A run to which a picture was added."""

    notes: list[str] = Field(description="How the picture was fitted.")


Metrics = create_model(
    "Metrics",
    __doc__="Columns of metrics over steps, all of one length; null where there is no value.",
    step=(list[Count], ...),
    attempt=(list[Count], ...),
    **dict.fromkeys(METRICS, (list[float | None], ...)),  # type: ignore[call-overload]
    scalars=(
        dict[str, list[float | None]],
        Field(description="Further metrics of a watched run, by name, of the same length."),
    ),
)


class FrameList(BaseModel):
    """The recorded frames of a run."""

    attempt: Count = Field(description="With it in their address, frames can be cached for ever.")
    before: Count = Field(
        description="How many steps are recorded that are not listed, with `after`: if a client "
        "has another number of them, some were dropped, and it should list all again."
    )
    steps: list[Count]
    laps: list[Annotated[list[Count], Field(min_length=2, max_length=2)]] = Field(
        description="Frames of the closing lap: the step, and the index in the lap."
    )


class SweepSummary(BaseModel):
    """A group of runs that differ in some fields of their configuration, and in their seeds."""

    id: str
    name: str
    created: float = Field(description="Seconds since 1970.")
    fields: list[str] = Field(description="Paths of the fields in which its runs differ.")
    seeds: list[int]
    status: Status = Field(
        description="`running` while any of its runs is trained or paused; else `queued`, "
        "`interrupted`, `stopped` or `failed` if any of them is; else `finished`."
    )
    running: bool = Field(description="Whether any of its runs is trained or paused.")
    broken: bool = Field(description="Whether its status is `interrupted` or `failed`.")
    runs: Count = Field(description="Those that have not been deleted.")
    done: Count = Field(description="Runs that finished.")
    training: Count = Field(description="Runs that are running.")
    waiting: Count = Field(description="Runs that are queued.")
    others: dict[Status | Fault, Count] = Field(description="All other runs, by status.")
    can: list[SweepOperation] = Field(
        description="What can be requested now; nothing with a token for viewing, or while a "
        "command trains it."
    )


class SweepRun(BaseModel):
    """A run of a combination: its row in the table of a sweep."""

    seed: int
    id: str
    status: Status | Fault
    done: bool = Field(description="Whether it finished.")
    failed: bool = Field(description="Whether an error ended it.")
    attempt: Count
    step: Count
    steps: Count | None
    accuracy: float | None
    loss: float | None
    stillness: float | None
    collapsed: bool
    last_step: Count | None = Field(description="The last recorded step.")
    error: str | None


class PublishedFigure(BaseModel):
    """What was published for a row that a combination trains."""

    network: str
    data: str = Field(description="Such as `RTS`.")
    figure: str = Field(description="In percent, as it is printed; may be a range.")
    measure: Literal["error", "accuracy"]


Figures = create_model(
    "Figures",
    **{name: (Spread | None, Field(description=text)) for name, text in FIGURES.items()},  # type: ignore[call-overload]
)


class SweepCombination(Figures):  # type: ignore[valid-type, misc]
    """The runs of a sweep that differ in their seeds only.

    Its figures are those of the runs that finished; before one has, of those with any.
    """

    values: dict[str, Any] = Field(description="By the paths of the sweep's fields.")
    done: Count = Field(description="Runs that finished.")
    collapsed: Count = Field(
        description="Runs whose regions had mostly collapsed in the last frame, of those observed."
    )
    observed: Count = Field(description="Runs with frames.")
    published: PublishedFigure | None = Field(
        description="Name of the row of a published table; null for other runs."
    )
    runs: list[SweepRun]


class Sweep(SweepSummary):
    """A sweep with its table: a row for each combination of values."""

    config: SweepConfig
    combinations: list[SweepCombination]


class SweepCurve(BaseModel):
    """A curve of a combination over its seeds: columns of equal length."""

    epoch: list[float] = Field(description="Where an interval of its steps ends.")
    mean: list[float]
    low: list[float]
    high: list[float]


class CombinationCurves(BaseModel):
    """The curves of a combination."""

    accuracy: SweepCurve
    loss: SweepCurve


class SweepCurves(BaseModel):
    """The curves of a sweep."""

    epochs: Count = Field(description="Of the longest run.")
    combinations: list[CombinationCurves] = Field(description="In the order of the table.")


class Download(BaseModel):
    """The download of a data set."""

    status: Literal["running", "finished", "failed"]
    done: Count = Field(description="Bytes received.")
    total: Count = Field(description="Bytes in all.")
    error: str | None


class Example(BaseModel):
    """A recording that ships with the program."""

    title: str
    description: str = Field(description="What it shows, in a sentence.")
    compare: str | None = Field(description="The example that it is to be seen beside.")
    run: Run


class Export(BaseModel):
    """A job that makes a file from a recording."""

    id: str
    run: str
    status: Literal["running", "finished", "failed"]
    done: Count = Field(description="Frames drawn.")
    total: Count | None = Field(description="Frames in all, once that is known.")
    waiting: Count = Field(description="Exports that are made before it.")
    size: Count | None = Field(description="Bytes of the finished file.")
    psnr: float | None = Field(
        description="Of a WebP or MP4, the error of its compression in decibels; null if exact."
    )
    error: str | None
    file: str | None = Field(description="The address of the finished file.")


class ExportPreview(BaseModel):
    """What an export will be; what does not apply is null."""

    width: Count | None = Field(description="Pixels; of a PDF points of 1/72 inch.")
    height: Count | None = Field(description="As `width`.")
    frames: Count | None
    rows: Count | None = Field(description="Of a table, without that of names.")
    seconds: float | None
    bytes: Count = Field(description="Approximate; exact if there are few frames.")
    image: str | None = Field(description="The first frame, as a data URL.")


class ExportFormat(BaseModel):
    """A form in which a run can be exported."""

    name: str = Field(description="The value of the option `format`.")
    title: str
    description: str
    kind: Literal["animation", "still", "page", "data"]
    suffix: str
    media_type: str
    options: list[str] = Field(description="The options that have an effect.")


@dataclass(frozen=True, kw_only=True)
class Dataset(DatasetEntry):
    """A data set, the networks that fit it, and its download."""

    networks: list[str]
    epochs: dict[str, int]
    """Epochs by default, by network."""
    download_bytes: int | None
    """Bytes to download; None if it cannot be downloaded."""
    download: Download | None
    """The state of its download, if this server has started one."""


class Catalog(BaseModel):
    """What a run can be made of, and the trained weights."""

    architectures: list[Architecture]
    families: list[FamilyEntry]
    distortions: list[DistortionEntry]
    optimisers: list[Optimiser]
    schedules: list[Choice]
    precisions: list[Choice]
    paddings: list[Choice]
    presets: list[Preset]
    published: list[RowGroup] = Field(
        description="Published tables, parts of them, and committees, for the `table` of a sweep."
    )
    datasets: list[Dataset]
    skipped: list[SkippedFolder] = Field(description="Folders of images that are not a data set.")
    devices: list[Device] = Field(description="The CPU first, the automatic choice last.")
    cores: int = Field(description="Cores of the CPU that the server may use.")
    automatic_threads: int = Field(description="What `auto` threads mean.")
    weights: list[Card]
    limits: dict[str, int] = Field(description="The largest accepted values.")
    defaults: RunConfig
    export_defaults: ExportDefaults
    export_formats: list[ExportFormat]
    trainers: int = Field(description="How many runs may train at once.")
    data: str = Field(description="The folder that data sets are read from.")
    images_per_second: float = Field(
        description="At which the compact network trains on one core of this machine."
    )


@dataclass(frozen=True, kw_only=True)
class Results(ResultTables):
    """Published figures, and ours beside them."""

    folder: str
    """The home's folder of result files."""


class RunUpdate(Run):
    """The run: on connecting and on each change; the status `deleted` is the last."""

    type: Literal["run"]
    status: Status | Fault | Deleted  # type: ignore[assignment]
    skipped: Count = Field(description="Frames that were not sent to this viewer.")


class MetricsUpdate(Metrics):  # type: ignore[valid-type, misc]
    """Columns of the rows that the client lacks, 2000 at a time, then of new ones."""

    type: Literal["metrics"]


class ErrorUpdate(BaseModel):
    """A message of the client cannot be read or processed; the stream goes on."""

    type: Literal["error"]
    detail: str
    field: str | None = Field(description="The field that is wrong, if it is one.")
    request: Count | None = Field(default=None, description="Of the message, where it has one.")


class Heartbeat(BaseModel):
    """Sent after 2 seconds without another message."""

    type: Literal["heartbeat"]
    time: float = Field(description="Seconds since 1970.")


SERVER_MESSAGES = (RunUpdate, MetricsUpdate, ErrorUpdate, Heartbeat)

UNROUTED: tuple[type[BaseModel], ...] = (Problem, *SERVER_MESSAGES)
"""The shapes that no route returns itself."""
