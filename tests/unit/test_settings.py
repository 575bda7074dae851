"""Settings: which layer counts, and what is refused."""

import os
from pathlib import Path
from typing import Any

import pytest

from slotd_server.settings import MOST_PAYLOAD, Settings, SettingsError, load


def test_the_defaults() -> None:
    settings = load({}, {})
    assert settings == Settings()
    assert settings.slots == (os.cpu_count() or 1) * 4
    assert (settings.listen, settings.store) == ("127.0.0.1:7433", "sqlite:///slotd.db")
    assert (settings.drain_timeout, settings.cancel_grace, settings.heartbeat) == (30, 10, 15)


def test_flags_over_environment_over_file_over_defaults(tmp_path: Path) -> None:
    file = tmp_path / "slotd.toml"
    file.write_text('slots = 1\ndrain-timeout = 1\nlisten = "file:1"\n')
    environment = {"SLOTD_SLOTS": "2", "SLOTD_DRAIN_TIMEOUT": "2", "OTHER": "7"}
    settings = load({"slots": 3, "listen": None}, environment, str(file))
    assert (settings.slots, settings.drain_timeout, settings.listen) == (3, 2.0, "file:1")
    assert settings.cancel_grace == 10


def test_no_slots_is_a_choice() -> None:
    assert load({"slots": 0}, {}).slots == 0


def test_a_list_is_one_in_every_layer(tmp_path: Path) -> None:
    file = tmp_path / "slotd.toml"
    file.write_text('commands = ["git", "/opt/build"]\n')
    assert load({"commands": ()}, {}, str(file)).commands == ("git", "/opt/build")
    assert load({}, {"SLOTD_COMMANDS": "tar, gzip,"}, str(file)).commands == ("tar", "gzip")
    assert load({"commands": ("ls",)}, {"SLOTD_COMMANDS": "tar"}, str(file)).commands == ("ls",)


@pytest.mark.parametrize("value", ["7", "[7]", "{git = true}"])
def test_what_is_no_list_of_texts_is_refused(tmp_path: Path, value: str) -> None:
    file = tmp_path / "slotd.toml"
    file.write_text(f"commands = {value}\n")
    with pytest.raises(SettingsError, match="commands"):
        load({}, {}, str(file))


def test_an_empty_variable_says_nothing() -> None:
    assert load({}, {"SLOTD_SLOTS": ""}).slots == Settings().slots


@pytest.mark.parametrize(
    "flags",
    [
        {"slots": -1},
        {"drain_timeout": -0.5},
        {"heartbeat": 0.0},
        {"heartbeat": float("nan")},
        {"retention": float("inf")},
        {"events_kept": 0},
        {"log_level": "loud"},
        {"isolation": "container"},
        {"unknown_kinds": "guess"},
        {"worker_lease": 0.5},
        {"max_payload": -1},
        {"max_output": 2**53 + 1},
        {"log_format": "xml"},
    ],
)
def test_what_can_t_be_is_refused_by_name(flags: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(flags))):
        load(flags, {})


def test_a_payload_may_be_as_large_as_a_message_can_carry() -> None:
    assert load({"max_payload": MOST_PAYLOAD}, {}).max_payload == MOST_PAYLOAD
    with pytest.raises(SettingsError, match=r"^max_payload is 33554432; the most is 12582912$"):
        load({}, {"SLOTD_MAX_PAYLOAD": str(32 << 20)})


@pytest.mark.parametrize("value", ["many", "1.5", "0x10"])
def test_a_variable_that_is_no_number_is_named(value: str) -> None:
    with pytest.raises(SettingsError, match="SLOTD_SLOTS"):
        load({}, {"SLOTD_SLOTS": value})


@pytest.mark.parametrize("text", ["slots = ", "slotz = 1", "slots = true", "slots = [1]", "[slots]"])
def test_a_file_that_can_t_be_read_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "slotd.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"slotd\.toml"):
        load({}, {}, str(file))


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        load({}, {}, str(tmp_path / "none.toml"))


def test_they_do_not_change() -> None:
    with pytest.raises(AttributeError):
        Settings().slots = 5  # type: ignore[misc]
