"""Register people: a batch in one unit, one answer each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sangkien.directory.application.batches import Registered, check_batch
from sangkien.directory.application.ports import Commit, NewId, Organisations, People, Record, Today
from sangkien.directory.domain.errors import DirectoryRefusal, OrganisationUnknown
from sangkien.directory.domain.person import Person
from sangkien.store.deciding import decided_again
from sangkien.text import nfc, same_name


@dataclass(frozen=True, slots=True)
class NewPerson:
    """One person as typed; the birth date is YYYY-MM-DD. All but unit and name may be ""."""

    organisation_id: str
    full_name: str
    birth_date: str
    staff_code: str
    email: str
    job_title: str


class RegisterPeople:
    """Each new one once, however often and by however many callers at once it is asked for."""

    def __init__(
        self,
        people: People,
        organisations: Organisations,
        commit: Commit,
        record: Record,
        new_id: NewId,
        today: Today,
    ) -> None:
        self._people = people
        self._organisations = organisations
        self._commit = commit
        self._record = record
        self._new_id = new_id
        self._today = today

    async def __call__(self, asked: Sequence[NewPerson]) -> list[Registered | DirectoryRefusal]:
        """One answer each, in order. A known one (`Person.identity`) is answered with their id, and what was blank is
        filled in. Raises BatchTooLarge.
        """
        check_batch(asked, "people")
        return await decided_again(lambda: self._register(asked))

    async def _register(self, asked: Sequence[NewPerson]) -> list[Registered | DirectoryRefusal]:
        today = self._today()
        wanted = [self._checked(each, today) for each in asked]
        good = [each for each in wanted if isinstance(each, Person)]
        units = await self._organisations.get_many({each.organisation_id for each in good})
        known = await self._people.known({each.identity for each in good if each.organisation_id in units})

        answers: list[Registered | DirectoryRefusal] = []
        saved: dict[str, Person] = {}
        for each in wanted:
            if isinstance(each, DirectoryRefusal):
                answers.append(each)
            elif each.organisation_id not in units:
                answers.append(OrganisationUnknown(field="organisation_id"))
            elif (person := known.get(each.identity)) is not None:
                if person.learn(each):
                    saved[person.id] = person
                answers.append(Registered(person.id, already=True))
            else:
                known[each.identity] = saved[each.id] = each
                answers.append(Registered(each.id, already=False))
        if saved:
            events = [event for each in saved.values() for event in each.pull_events()]
            await self._commit([*(self._people.save(each) for each in saved.values()), *self._record(events)])
        return answers

    def _checked(self, asked: NewPerson, today: date) -> Person | DirectoryRefusal:
        try:
            return Person.register(
                self._new_id(),
                asked.organisation_id,
                nfc(asked.full_name),
                same_name(asked.full_name),
                birth_date=asked.birth_date,
                staff_code=nfc(asked.staff_code),
                email=asked.email.strip(),
                job_title=nfc(asked.job_title),
                today=today,
            )
        except DirectoryRefusal as refusal:
            return refusal
