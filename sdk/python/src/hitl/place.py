"""Where a call was made, while later ones may go elsewhere."""

from dataclasses import dataclass


@dataclass
class Place:
    """The server of a call or a stream, once it is known."""

    endpoint: str = ""
