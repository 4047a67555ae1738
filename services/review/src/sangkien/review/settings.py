"""What review is told from outside."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from sangkien.runtime import ServiceSettings


class ReviewSettings(ServiceSettings):
    """`REVIEW_*` variables."""

    model_config = SettingsConfigDict(env_prefix="REVIEW_")

    jurisdiction: str = Field(default="vn/ha-noi", pattern=r"^vn(/[a-z0-9-]+)*$")
    """Whose score sheet and council rules hold for a council that names none."""
    place: str = "Hà Nội"
    """Where minutes are dated."""
