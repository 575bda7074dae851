"""The settings that the files in deploy/ give in environment variables."""

from collections.abc import Mapping
from dataclasses import fields

from slotd_server.settings import Settings, load

SETTINGS = {f"SLOTD_{field.name.upper()}" for field in fields(Settings)}


def settings(environment: Mapping[str, str]) -> Settings:
    """The settings that a service has in this environment. Raises SettingsError, and AssertionError for one unknown."""
    unknown = {name for name in environment if name.startswith("SLOTD_")} - SETTINGS
    assert not unknown
    return load({}, environment)
