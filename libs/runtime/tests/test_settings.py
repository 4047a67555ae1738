import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from sangkien.runtime import ServiceSettings, SettingsInvalid


class DemoSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="DEMO_")

    database: str = "demo"


COMPLETE = {
    "DEMO_STORE_URL": "sqlite:///var/demo",
    "DEMO_NATS_URL": "nats://127.0.0.1:4222",
    "DEMO_LISTEN": "127.0.0.1:0",
    "DEMO_DIRECTORY": "unix:/run/directory.sock",
    "DEMO_NODE_SECRET": "hush-hush",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_settings_come_from_prefixed_variables_and_are_frozen(environment: pytest.MonkeyPatch) -> None:
    settings = DemoSettings.load()
    assert (settings.node, settings.database, settings.directory) == ("local", "demo", "unix:/run/directory.sock")
    assert "hush-hush" not in repr(settings)
    with pytest.raises(ValidationError):
        settings.node = "other"  # type: ignore[misc]


def test_settings_name_every_variable_at_fault_and_show_no_value(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("DEMO_NODE_SECRET")
    environment.setenv("DEMO_LISTEN", "nowhere-in-particular")
    with pytest.raises(SettingsInvalid) as refused:
        DemoSettings.load()
    assert str(refused.value) == (
        "These environment variables are missing or wrong:\n"
        "  DEMO_LISTEN: Value error, an address is host:port or unix:/path\n"
        "  DEMO_NODE_SECRET: is not set"
    )


def test_settings_take_an_empty_secret_for_none(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DEMO_NODE_SECRET", "")
    with pytest.raises(SettingsInvalid, match="DEMO_NODE_SECRET: is not set"):
        DemoSettings.load()
