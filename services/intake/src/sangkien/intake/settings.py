"""What intake is told from outside, in variables that begin with INTAKE_."""

from pydantic_settings import SettingsConfigDict

from sangkien.runtime import ServiceSettings


class IntakeSettings(ServiceSettings):
    """Settings of the intake service."""

    model_config = SettingsConfigDict(env_prefix="INTAKE_")

    receipt_place: str = "Hà Nội"
    """The place printed before the date of a receipt."""
