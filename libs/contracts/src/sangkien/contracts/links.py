"""What two nodes say of one person to each other, beside ids: whom is meant, and on what grounds."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class Sought(BaseModel):
    """Whom the receiver is asked to find among its people: by the id there, or by what is said of them, never both."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    person_ref: str = Field(default="", max_length=100, description="person id at the receiver, where it is known")
    full_name: str = Field(default="", max_length=300)
    birth_date: date | None = None
    staff_code: str = Field(default="", max_length=64, description="of the unit at the receiver")


class Grounds(BaseModel):
    """The succession of organisations that makes the person's record follow: asserted by the node that proposes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    predecessor_id: str = Field(max_length=100, description="organisation of the receiver")
    successor_id: str = Field(max_length=100, description="organisation of the sender")
    successor_name: str = Field(max_length=300)
    on: date = Field(description="first day of the successor in its place")
    document: str = Field(min_length=1, max_length=100, description="symbol of the document that ordered it")
