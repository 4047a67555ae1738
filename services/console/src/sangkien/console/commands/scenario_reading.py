"""Which year `sangkien demo` is to play."""

from typing import TYPE_CHECKING

from sangkien.console.commands.speaking import Stop, people

if TYPE_CHECKING:
    from sangkien.console.demo.scenario import Scenario


def read_scenario(name: str, scale: int) -> "Scenario":
    """The scenario, with remarks on it told to people. Raises Stop, and what `sangkien.rules.quote` refuses."""
    from sangkien.chassis.context import HANOI
    from sangkien.console.demo.scenario import ScenarioError, load_scenario
    from sangkien.runtime import utc_now

    try:
        scenario = load_scenario(name).scaled(scale)
        scenario.check_past(utc_now().astimezone(HANOI).date())
    except ScenarioError as error:
        fix = "sửa kịch bản, hoặc dùng ba-dinh-2023 · mend the scenario, or use ba-dinh-2023"
        raise Stop("scenario_invalid", str(error), fix) from error
    for remark in scenario.remarks:
        people.print(f"! {remark}", markup=False, highlight=False, soft_wrap=True)
    return scenario
