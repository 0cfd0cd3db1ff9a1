from typing import Any

from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.frames.frame_metrics import collapsed_share


def test_collapsed_share_counts_a_probe_once_for_several_transformers() -> None:
    info: dict[str, Any] = {
        "labels": [0, 1, None, 3],
        "collapsed": {"a": ["outside", None, None, None], "b": ["folded", "shared", None, None]},
    }
    assert collapsed_share(Frame(info, {})) == 0.5
    assert collapsed_share(Frame(info | {"collapsed": {}}, {})) == 0
