"""What reward is told from outside, in variables that begin with REWARD_."""

from pydantic_settings import SettingsConfigDict

from sangkien.runtime import ServiceSettings


class RewardSettings(ServiceSettings):
    """Settings of the reward service."""

    model_config = SettingsConfigDict(env_prefix="REWARD_")

    place: str = "Hà Nội"
    """The place printed before the date of a decision whose issuer's name does not tell where it sits."""
