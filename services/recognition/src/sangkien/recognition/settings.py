"""What recognition is told from outside."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from sangkien.runtime import ServiceSettings


class RecognitionSettings(ServiceSettings):
    """Environment variables `RECOGNITION_…`."""

    model_config = SettingsConfigDict(env_prefix="RECOGNITION_")

    place: str = Field(default="Hà Nội", min_length=1, max_length=60)
    """Place name printed before the date of decisions and certificates (Decree 30/2020/NĐ-CP, appendix I)."""
    verify_url: str = Field(default="http://localhost/gcn", pattern=r"^https?://[!-~]{1,80}$")
    """Public address the QR code of a certificate leads to; the check code is put behind it."""
    sweep_seconds: float = Field(default=5.0, gt=0)
    """How often issued decisions are looked for that were broken off before all their items were in the register."""
