"""The process that lists the devices of this machine: it loads torch, handles one request and ends.

The request is empty. The response is `{"devices": [...]}`, the fields of `devices.choice.Device`,
the CPU first.
"""

from dataclasses import asdict

from stnscope.backend.experiment.devices.torch_devices import list_devices
from stnscope.backend.server.processes.child_main import ParentPipe
from stnscope.backend.server.processes.message_pipe import Head, Message


def main() -> None:
    ParentPipe().handle_request(_list)


def _list(_: Head, __: bytes) -> Message:
    return {"devices": [asdict(device) for device in list_devices()]}, b""


if __name__ == "__main__":
    main()
