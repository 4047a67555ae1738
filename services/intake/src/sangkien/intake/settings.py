"""What intake is told from outside, in variables that begin with INTAKE_."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from sangkien.runtime import Address, ServiceSettings


class IntakeSettings(ServiceSettings):
    """Settings of the intake service."""

    model_config = SettingsConfigDict(env_prefix="INTAKE_")

    review: Address = "127.0.0.1:0"
    """gRPC target of this node's review; of no use on a node without one."""
    receipt_place: str = "Hà Nội"
    """The place printed before the date of a receipt."""
    file_most_mib: int = Field(default=50, ge=1, le=200)
    """How large one evidence file may be, in MiB."""
    file_partial_days: float = Field(default=7, gt=0)
    """After how many days without a part an upload that never became whole is removed."""
    file_unnamed_days: float = Field(default=30, ge=1)
    """After how many days a whole file that no dossier names is removed."""
    file_sweep_hours: float = Field(default=6, gt=0)
    """How often such uploads and files are looked for."""
    file_reserve_mib: int = Field(default=256, ge=0)
    """How much of the disk evidence leaves free, so that dossiers without files can still be filed (SQLite only)."""
