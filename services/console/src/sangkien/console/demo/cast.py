"""Units, people and dossiers of a made-up year, all from one seed. No name is a real person's."""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from sangkien.console.demo.scenario import RoundPlan, Scenario, titles

_FAMILY = "Nguyễn Trần Lê Phạm Hoàng Phan Vũ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đinh Mai Trịnh".split()
_MIDDLE = "Thị Văn Minh Thu Hồng Ngọc Thanh Đức Quang Hữu Xuân Bích Kim Gia Khánh Diệu Anh Hải".split()
_GIVEN = (
    "An Ánh Bình Chi Cường Dung Dũng Đạt Giang Hà Hằng Hạnh Hiền Hiếu Hoa Hòa Huệ Hùng Hương Khánh Lan Linh Loan Long Mai"
    " Nam Nga Ngân Nhung Oanh Phúc Phương Quân Quỳnh Sơn Tâm Thảo Thắng Thủy Trang Trung Tú Tuấn Uyên Vân Việt Xuân Yến"
).split()
_WARDS = (
    "Cống Vị,Điện Biên,Đội Cấn,Giảng Võ,Kim Mã,Liễu Giai,Ngọc Hà,Ngọc Khánh,Nguyễn Trung Trực,Phúc Xá,Quán Thánh,"
    "Thành Công,Trúc Bạch,Vĩnh Phúc"
).split(",")
_OFFICES = (
    "Phòng Kinh tế,Phòng Nội vụ,Phòng Tài chính - Kế hoạch,Phòng Văn hóa và Thông tin,Phòng Tư pháp,Phòng Thanh tra,"
    "Phòng Quản lý đô thị,Phòng Tài nguyên và Môi trường,Phòng Y tế,Văn phòng Hội đồng nhân dân và Ủy ban nhân dân"
).split(",")
_SCHOOLS = (
    "Mầm non A,Mầm non Hoa Hướng Dương,Mầm non Tuổi Hoa,Mầm non Sao Mai,Mầm non Họa Mi,Tiểu học Hoàng Diệu,"
    "Tiểu học Ba Đình,Tiểu học Kim Đồng,Tiểu học Thành Công A,Tiểu học Thành Công B,Tiểu học Ngọc Hà,"
    "Tiểu học Ngọc Khánh,Tiểu học Nguyễn Trãi,Tiểu học Đại Yên,THCS Thành Công,THCS Giảng Võ,THCS Phan Chu Trinh,THCS Ba Đình,"
    "THCS Hoàng Hoa Thám,THCS Mạc Đĩnh Chi,THCS Phúc Xá,THCS Thống Nhất,THCS Nguyễn Trãi"
).split(",")
_JOBS = ("Giáo viên", "Tổ trưởng chuyên môn", "Phó hiệu trưởng"), ("Chuyên viên", "Công chức", "Phó trưởng phòng")
_FIELDS = ("Giáo dục và đào tạo", "Quản lý học sinh", "Y tế học đường"), ("Cải cách hành chính", "Dân vận", "Đô thị")


@dataclass(frozen=True, slots=True)
class PersonDraft:
    """A person as a unit's spreadsheet names them."""

    name: str
    birth_date: date
    job: str
    email: str


@dataclass(frozen=True, slots=True)
class DossierDraft:
    """A row of a unit's spreadsheet. Shares are whole percent, one for each author."""

    title: str
    unit: str
    field: str
    authors: tuple[PersonDraft, ...]
    shares: tuple[int, ...]
    first_applied_on: date
    filed_on: date


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody and everything of one run."""

    units: tuple[str, ...]
    """Names of all units below the district, enough for every collective that is to be rewarded."""
    rounds: tuple[tuple[DossierDraft, ...], ...]


class Casting:
    """Draws people and dossiers. The same scenario and seed give the same cast."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._scenario = scenario
        self._random = random.Random(f"{scenario.slug}:{seed}")  # noqa: S311 (a story, not a secret)
        self._people = 0

    def cast(self) -> Cast:
        schools = [f"Trường {name}" for name in _SCHOOLS]
        others = [f"Phường {name}" for name in _WARDS] + list(_OFFICES)
        given = [t.unit for t in self._scenario.titles] + [self._scenario.standing_body]
        for unit in given:
            group = schools if unit.startswith("Trường") else others
            if unit not in group:
                group.append(unit)
        drafts = tuple(
            tuple(self._round(number, plan, schools if plan.education else others))
            for number, plan in enumerate(self._scenario.rounds, start=1)
        )
        units = schools + others
        team = 1
        while len(units) < self._scenario.collectives:
            units.append(f"Tổ chuyên môn số {team // len(schools) + 1} - {schools[team % len(schools)]}")
            team += 1
        return Cast(tuple(units), drafts)

    def person(self, job: str) -> PersonDraft:
        """Somebody new."""
        pick = self._random.choice
        self._people += 1
        name = f"{pick(_FAMILY)} {pick(_MIDDLE)} {pick(_GIVEN)}"
        born = date(1965, 1, 1) + timedelta(days=self._random.randrange(36 * 365))
        return PersonDraft(name, born, job, f"nguoi-{self._people}@don-vi.example")

    def _round(self, number: int, plan: RoundPlan, units: list[str]) -> list[DossierDraft]:
        named = [(t.title, t.unit) for t in self._scenario.titles if t.round == number][: plan.filed]
        pool = titles()["education" if plan.education else "other"]
        self._random.shuffle(pool)
        taken = {title for title, _ in named}
        fresh = [title for title in pool if title not in taken]
        for index in range(plan.filed - len(named)):
            unit = units[self._random.randrange(len(units))]
            lap, place = divmod(index, len(fresh))
            title = fresh[place] if not lap else f"{fresh[place]}: áp dụng tại {unit}, nhóm {lap}"
            named.append((title, unit))
        return [self._dossier(title, unit, plan) for title, unit in named]

    def _dossier(self, title: str, unit: str, plan: RoundPlan) -> DossierDraft:
        draw, kind = self._random, 0 if plan.education else 1
        shares = draw.choices(((100,), (60, 40), (50, 30, 20)), weights=(60, 25, 15))[0]
        authors: list[PersonDraft] = []
        while len(authors) < len(shares):
            person = self.person(draw.choice(_JOBS[kind]))
            if all(person.name != other.name for other in authors):
                authors.append(person)
        filed_on = plan.opens_on + timedelta(days=draw.randrange((plan.closes_on - plan.opens_on).days + 1))
        first_applied_on = filed_on - timedelta(days=draw.randrange(30, 300))
        return DossierDraft(title, unit, draw.choice(_FIELDS[kind]), tuple(authors), shares, first_applied_on, filed_on)
