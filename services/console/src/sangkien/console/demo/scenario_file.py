"""What a scenario file holds, and what is wrong with one, in words for the person who wrote it."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError


class _Loader(yaml.SafeLoader):
    """Days stay text, and only `true` and `false` are booleans, as in YAML 1.2: in YAML 1.1 the key `on` is true."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in found
        if tag != "tag:yaml.org,2002:timestamp" and (tag != "tag:yaml.org,2002:bool" or first in "tTfF")
    ]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _as_day(value: Any) -> Any:
    """A day as machines write it, in quotes or not, or as people in Vietnam do."""
    if isinstance(value, str):
        if found := re.fullmatch(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", value.strip()):
            value = f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}"
        return date.fromisoformat(value.strip())
    return value


class _Part(BaseModel):
    """A part of the file. Strict: a count in quotes is no count. What is not named here has no effect (`unused`)."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")


_Count = Annotated[int, Field(ge=0)]
_Day = Annotated[date, BeforeValidator(_as_day)]
_Text = Annotated[str, Field(min_length=1)]


class _District(_Part):
    slug: _Text
    name: _Text
    valid_to: _Day | None = None


class _Council(_Part):
    name: _Text
    set_up_by: _Text
    on: _Day
    reformed_by: str = ""
    reformed_on: _Day | None = None
    rules: Any = None
    """For people to read, like every `Any` of these parts."""
    rules_on: Any = None


class RoundGiven(_Part):
    """A round as the file has it."""

    name: _Text
    group: str = ""
    filed: _Count
    recognised: _Count


class Totals(_Part):
    """What the report says the rounds add up to."""

    filed: _Count | None = None
    recognised: _Count | None = None


class _City(_Part):
    recognised: _Count = 0


class _Milestone(_Part):
    on: _Day
    document: Any = None
    what: Any = None


class _Reward(_Part):
    decision: Annotated[str, Field(pattern=r"^0*[1-9]\d*/\S+$")]
    on: _Day
    form: _Text
    collectives: _Count
    individuals: _Count
    currency: Literal["VND"] = "VND"
    per_collective_vnd: _Count | None = None
    per_individual_vnd: _Count | None = None


class _Title(_Part):
    title: Annotated[str, Field(min_length=5, max_length=500)]  # what intake takes
    unit: _Text
    round: Annotated[int, Field(ge=1)]


class ScenarioFile(_Part):
    """The whole file."""

    district: _District
    standing_body: str = "Văn phòng"
    council: _Council
    rounds: Annotated[list[RoundGiven], Field(min_length=1)]
    totals: Totals = Totals()
    city: _City = _City()
    milestones: list[_Milestone] = []
    reward: _Reward
    titles: list[_Title] = []
    rule_change: Any = None
    city_commendation: Any = None


def parse(text: str) -> ScenarioFile:
    """Read the text of a file, YAML or JSON. Raises yaml.YAMLError, and ValidationError, which `told` puts in words."""
    return ScenarioFile.model_validate(yaml.load(text, _Loader))  # noqa: S506 (a safe loader)


def unused(part: object, path: str = "") -> Iterator[str]:
    """Places in the file that have no effect: a slip of the pen, or a wish the demo does not know."""
    if isinstance(part, list):
        for number, each in enumerate(part):
            yield from unused(each, f"{path}{number}.")
    elif isinstance(part, BaseModel):
        yield from (f"{path}{name}" for name in part.model_extra or ())
        for name in type(part).model_fields:
            yield from unused(getattr(part, name), f"{path}{name}.")


_TOLD = {
    "missing": "thiếu",
    "int_type": "phải là số nguyên",
    "greater_than_equal": "phải từ {ge} trở lên",
    "string_type": "phải là chữ",
    "string_too_short": "phải có ít nhất {min_length} ký tự",
    "string_too_long": "có nhiều nhất {max_length} ký tự",
    "string_pattern_mismatch": "phải có số và ký hiệu, ví dụ 3034/QĐ-UBND",
    "date_type": "phải là một ngày, ví dụ 2023-12-20",
    "value_error": "không phải một ngày có trong lịch, ví dụ 2023-12-20",
    "literal_error": "phải là {expected}",
    "list_type": "phải là danh sách",
    "too_short": "phải có ít nhất {min_length}",
    "model_type": "phải gồm các mục có tên",
}


def told(error: ValidationError) -> str:
    """Where, and what of it: every finding on a line of its own, Vietnamese first."""
    lines = []
    for each in error.errors():
        where = ".".join(map(str, each["loc"])) or "tệp · file"
        vi = _TOLD.get(each["type"], "sai").format(**each.get("ctx", {}))
        en = "must have named parts" if each["type"] == "model_type" else each["msg"]
        lines.append(f"{where}: {vi} · {en}")
    return "\n".join(lines)
