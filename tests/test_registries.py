"""Each registry that docs/contributing.md names has a row for each file, and no other row.

A file, a family or a command that was added without its row is named here.
"""

from typing import get_args

from stnscope.backend.experiment import distortions
from stnscope.backend.experiment.catalog import DISTORTIONS
from stnscope.backend.experiment.data.registry import DATASETS, DEFINITIONS
from stnscope.backend.experiment.export.formats import FORMATS
from stnscope.backend.experiment.export.options import FormatName
from stnscope.backend.experiment.recording.schema import METRICS
from stnscope.backend.experiment.run_status import TRANSITIONS, Action
from stnscope.backend.server.app import ROUTERS
from stnscope.models import catalog, families
from stnscope.models.architectures import BUILDERS
from stnscope.models.cards import cards
from tests.source_files import ROOT
from tools import docs
from tools.train_weights import RECIPES


def modules_with(folder: str, text: str) -> set[str]:
    """Return the names of the modules in a folder that contain a text."""
    files = (ROOT / folder).glob("*.py")
    return {file.stem for file in files if text in file.read_text()}


def test_every_family_has_a_catalog_row() -> None:
    assert families.IMPLEMENTATIONS.keys() == catalog.FAMILIES.keys()


def test_every_network_has_a_catalog_row() -> None:
    assert BUILDERS.keys() == catalog.ARCHITECTURES.keys()


def test_every_distortion_has_a_catalog_row() -> None:
    assert distortions.IMPLEMENTATIONS.keys() == DISTORTIONS.keys()


def test_every_data_set_has_a_row() -> None:
    """Each definition in a module of `data` is one, under a name that no other has."""
    folder = ROOT / "backend" / "experiment" / "data"
    defined = sum(file.read_text().count(" = Definition(\n") for file in folder.glob("*.py"))
    assert len(DEFINITIONS) == defined


def test_every_action_has_a_transition() -> None:
    assert set(TRANSITIONS) == set(get_args(Action))


def test_every_export_format_has_a_row() -> None:
    assert set(FORMATS) == set(get_args(FormatName))
    writers = modules_with("backend/experiment/export", "\ndef write_")
    assert writers == {row.write.__module__.split(".")[-1] for row in FORMATS.values()}


def test_every_route_module_is_included() -> None:
    assert len(ROUTERS) == len(modules_with("backend/server/routes", "router = ApiRouter("))


def test_every_command_module_is_a_command() -> None:
    modules = modules_with("backend/commands", "\ndef add(")
    assert set(docs.commands()) == {module.rstrip("_") for module in modules}


def test_every_chart_shows_recorded_metrics() -> None:
    source = (ROOT / "dashboard" / "assets" / "charts" / "chart-definitions.js").read_text()
    charts = source.partition("export const CHARTS = [")[2].partition("\n];")[0]
    shown = {line.split('"')[1] for line in charts.split("name: ")[1:]}
    assert shown
    assert shown <= set(METRICS)


def test_commands_on_cards_train_their_weights() -> None:
    for name, card in cards().items():
        words = (card.command or "").split()
        assert words[:4] == ["python", "-m", "tools.train_weights", name]
        config = RECIPES[name].config
        assert (config.architecture, config.dataset) == (card.architecture, card.dataset)
        assert (config.family, config.distortion.name) == (card.family, card.distortion)


def test_cards_say_how_images_were_split_and_what_the_licences_are() -> None:
    for card in cards().values():
        dataset = DATASETS[card.dataset]
        assert card.split == dataset.description
        assert "held out" in card.split
        assert str(card.licence).endswith(dataset.licence)
