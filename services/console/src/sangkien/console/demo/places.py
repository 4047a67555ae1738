"""Where the story's people sit: all at one node, or the union, the district and the city each at their own."""

from dataclasses import dataclass, field

from sangkien.api.directory.v1 import directory_pb2 as pb
from sangkien.console.demo.actors import STOOD_SINCE, Registrar
from sangkien.console.demo.scenario import Scenario
from sangkien.console.node import accounts
from sangkien.console.node.local import LocalNode


class Place:
    """One node and the organisations its directory knows: every node registers those it deals with itself."""

    def __init__(self, node: LocalNode) -> None:
        self.node = node
        self.registrar = Registrar(node)
        self.city = self.district = self.office = ""
        """Organisation ids; `office` is where the officer who files works."""
        self.units: dict[str, str] = {}
        """Organisation id by name."""

    async def found(self, scenario: Scenario, units: tuple[str, ...]) -> None:
        """Register city, district and units."""
        self.city, self.district = await self.registrar.top(scenario)
        self.office = self.district
        ids = await self.registrar.below(self.district, units)
        self.units = dict(zip(units, ids, strict=True))

    async def add_union(self, name: str) -> None:
        """Register the union whose officer files."""
        union = pb.NewOrganisation(kind="LDLD", name=name, valid_from=STOOD_SINCE, email="van-phong@cong-doan.example")
        [self.office] = await self.registrar.units([union])

    def save_accounts(self) -> None:
        """Keep the passwords made here in the node's folder."""
        accounts.save(self.node.folder, self.registrar.accounts)


@dataclass(slots=True)
class Places:
    """`filing` is where spreadsheets are filed, `council` where the district's council sits, `city` the city's."""

    filing: Place
    council: Place
    city: Place
    all: tuple[Place, ...] = field(init=False)
    """Each once."""

    def __post_init__(self) -> None:
        self.all = tuple({id(place): place for place in (self.filing, self.council, self.city)}.values())

    @property
    def apart(self) -> bool:
        """Whether they are nodes of their own."""
        return len(self.all) > 1


def at_one(node: LocalNode) -> Places:
    """Everybody at the one node."""
    place = Place(node)
    return Places(place, place, place)
