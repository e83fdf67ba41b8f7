"""What the tests of all adapters share."""

from people import local, person

__all__ = ["local", "person"]
