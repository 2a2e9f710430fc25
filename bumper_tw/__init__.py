"""A network appliance that takes the place of the Ecovacs cloud."""

__version__ = "0.1.0"
