"""Events carry ids and the least else: never personal data (DESIGN §9)."""

import re
from collections.abc import Iterator
from typing import get_args

from pydantic import BaseModel

from sangkien.contracts.events import event_types

PERSONAL = re.compile(
    r"full_?name|(first|last|given|family|author|person|holder|member|reviewer)_names?$|e_?mail|phone|mobile|birth|gender"
    r"|address|citizen|identity|passport|cccd|cmnd|bank|staff_code|password|token"
)
NAMES_OF_NO_PERSON = {
    "ForeignOrganisationAsserted.name",
    "ForeignRoundAnnounced.name",
    "OrganisationRegistered.name",
    "OrganisationReorganised.name",
    "RoundOpened.name",
}


def fields_of(model: type[BaseModel]) -> Iterator[str]:
    """`Model.field` of the model and of every model inside it."""
    for name, field in model.model_fields.items():
        yield f"{model.__name__}.{name}"
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from fields_of(inner)


def is_personal(field: str) -> bool:
    name = field.rpartition(".")[2]
    return bool(PERSONAL.search(name)) or (name == "name" and field not in NAMES_OF_NO_PERSON)


def test_personal_fields_are_recognised() -> None:
    fields = [
        "A.author_name",
        "A.e_mail",
        "A.phone_number",
        "A.birth_date",
        "A.name",
        "A.person_id",
        "A.unit_id",
        "A.title",
    ]
    assert [field for field in fields if is_personal(field)] == fields[:5]


def test_events_carry_no_personal_data() -> None:
    found = {field for model in event_types().values() for field in fields_of(model) if is_personal(field)}
    assert found == set()
