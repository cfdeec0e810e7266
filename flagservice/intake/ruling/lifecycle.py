"""Brings what each practice holds for one person to what the policy now says.

issue      nothing stands, and something is to be told
amend      what is told has changed
end        the last ground has ended: the copy is inactive, and stays as history
move       the person's practice has changed: the old copy is taken back, a new one starts
retract    nothing may be told any more: the copy is removed, without history

1. See what stands of what a side is asked about: the rest of that places nothing.
2. Put what is told into episodes: each is one flag.
3. Leave out an ending of what is held or withheld elsewhere.
4. Find for each episode the copy that goes on, and take back all others.
5. Issue what each copy should say, where it says something else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlmodel import col, select

from flagservice.audit.log import Work
from flagservice.domain.copies import CopyStatus, DeliveryState
from flagservice.domain.days.intervals import day_after
from flagservice.domain.elements import NOTIFICATIONS, Element, Kind
from flagservice.domain.holds import Owner
from flagservice.domain.people import Phase
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.assessment import Assessment
from flagservice.intake.ruling.concerns import Episode, Words, episodes, in_doubt, succession
from flagservice.intake.ruling.content import (
    Days,
    OwnChange,
    disclosure_digest,
    disclosure_together,
    expiry,
    own_change,
)
from flagservice.intake.ruling.issue import NewVersion
from flagservice.intake.ruling.person_files import PersonFile
from flagservice.policy.disclosure import Disclosure, removal
from flagservice.store import tables


@dataclass
class Changes:
    """The versions to issue for one person, and the copy that each assessment is about."""

    versions: list[NewVersion] = field(default_factory=list)
    about: list[tuple[Assessment, str]] = field(default_factory=list)

    def copy_of(self, assessment: Assessment) -> str | None:
        """Returns the id of the copy that stands on it, or stood until now."""
        return next((copy_id for one, copy_id in self.about if one is assessment), None)


def changes(
    work: Work, file: PersonFile, assessments: Sequence[Assessment], *, rulebook: Rulebook
) -> Changes:
    """Returns every version that makes the records of one person right."""
    own = {
        one.naming.id: own_change(work, one, rulebook=rulebook)
        for one in assessments
        if not one.former
    }
    person = _Person(work, file, assessments, rulebook=rulebook, own=own)
    # (1) to (3): what is told
    told = person.told()
    # (4) to (5): by which copies
    found, placed = Changes(), person.placed(told)
    going_on = {one.copy.id for one in placed if one.copy is not None}
    codes = {one.concern.code for one in told if one.open and not one.asked}
    codes |= {one.episode.concern.code for one in placed if one.episode.open}
    for one in placed:
        person.bring(one, found, clears=one.episode.concern.code not in codes)
    for copy in file.standing_copies():
        if copy.id not in going_on and not person.is_kept_by_a_question(copy):
            person.take_back(copy, found)
    for copy in person.gone_and_now_in_error():
        person.take_back(copy, found)
    return found


@dataclass(frozen=True)
class _ToldAt:
    """An episode as told at a practice, by a copy that goes on or by one that starts.

    `before` is the copy whose days and words it takes over: `copy`, or one elsewhere. `asked` stood
    behind it, and a side is asked about them while others are settled.
    """

    episode: Episode
    copy: tables.CopyRow | None
    before: tables.CopyRow | None
    practice: str
    asked: tuple[Assessment, ...] = ()

    @property
    def grounds(self) -> tuple[Assessment, ...]:
        return (*self.episode.grounds, *self.asked)


@dataclass(frozen=True)
class _Person:
    """What is kept of one person, what is said, and what of that submitters said anew (`own`)."""

    work: Work
    file: PersonFile
    assessments: Sequence[Assessment]
    rulebook: Rulebook
    own: Mapping[str, OwnChange]

    def told(self) -> list[Episode]:
        """Returns the episodes of what may be told.

        While something of a code is held or withheld, no ending of it is told. History that stands
        stays: no record is told that something is held.
        """
        doubted = in_doubt(self.assessments)
        standing = [one for one in self.assessments if not one.asked or self._stands(one)]
        return [
            episode
            for episode in episodes(standing)
            if episode.open
            or episode.concern.code not in doubted
            or any(self._is_history_of(copy, episode) for copy in self.file.standing_copies())
        ]

    def _is_history_of(self, copy: tables.CopyRow, episode: Episode) -> bool:
        same = (copy.kind, copy.code) == (episode.concern.kind, episode.concern.code)
        ended = copy.status is CopyStatus.INACTIVE
        return same and ended and not episode.words.isdisjoint(self._behind(copy))

    def _stands(self, asked: Assessment) -> bool:
        """Returns whether something stands meanwhile.

        What a practice is asked stands at that practice alone: a move tells it to no other.
        """
        question = asked.decided.asked
        of_submitter = question is not None and question.owner is Owner.SUBMITTER
        copies = self.file.standing_copies() if of_submitter else self._welcome
        return any(
            copy.status is CopyStatus.ACTIVE and self._is_ground(asked, copy) for copy in copies
        )

    def is_kept_by_a_question(self, copy: tables.CopyRow) -> bool:
        """Returns whether it is history that stays: its plan, opened again, is asked about."""
        ended, welcome = copy.status is CopyStatus.INACTIVE, copy in self._welcome
        asked = [one for one in self.assessments if one.asked and self._is_ground(one, copy)]
        return ended and welcome and bool(asked)

    @property
    def _welcome(self) -> list[tables.CopyRow]:
        """The standing copies at the person's practice.

        While the practice is not known, all stay but those at a practice that refused the person.
        """
        registration, practice = self.file.registration, self.file.practice
        refused = registration.refused if registration else None
        return [
            copy
            for copy in self.file.standing_copies()
            if copy.practice != refused and practice in (None, copy.practice)
        ]

    def _behind(self, copy: tables.CopyRow) -> set[Words]:
        return {(ground.naming_id, ground.kind) for ground in self.file.grounds[copy.id]}

    def _is_ground(self, one: Assessment, copy: tables.CopyRow) -> bool:
        """Returns whether a copy stands on what this says now, and not on what it said before."""
        return any(
            (ground.naming_id, ground.kind) == one.said_as and not ground.former
            for ground in self.file.grounds[copy.id]
        )

    def placed(self, found: Sequence[Episode]) -> list[_ToldAt]:
        """Returns each told episode at its practice, with the copy that goes on for it."""
        grounds = {copy.id: self._behind(copy) for copy in self._welcome}
        taken = succession(found, self._welcome, grounds=grounds, says=self._says)
        placed: list[_ToldAt] = []
        for place, episode in enumerate(found):
            copy = taken.get(place)
            before = copy or (self._left_behind(episode, placed) if episode.asked else None)
            where = self.file.practice or (copy.practice if copy else None)
            if where is not None and (before is not None or not episode.asked):
                placed.append(_ToldAt(episode, copy, before, where))
        return [self._with_asked(one, placed) for one in placed]

    def _says(self, episode: Episode, copy: tables.CopyRow) -> bool:
        """Returns whether this history says what it would, with either of the two codes."""
        days = Days(copy.placed, copy.review, copy.expires)
        return any(
            self._digest(
                disclosure_together(
                    episode.grounds, days=days, rulebook=self.rulebook, clears=clears
                )
            )
            == copy.digest
            for clears in (True, False)
        )

    def _digest(self, told: Disclosure) -> str:
        return disclosure_digest(self.work, told, data_key=self.file.person.data_key)

    def _before(self, episode: Episode) -> list[tables.CopyRow]:
        """Returns the copies of this concern, at any practice, that stand on any of its words."""
        concern = episode.concern
        return [
            copy
            for copy in self.file.standing_copies()
            if (copy.kind, copy.form) == (concern.kind, concern.form)
            and not episode.words.isdisjoint(self._behind(copy))
        ]

    def _left_behind(self, episode: Episode, placed: Sequence[_ToldAt]) -> tables.CopyRow | None:
        """Returns the copy elsewhere that an asked episode takes over, if no other flag has."""
        carried = {copy.id for one in placed for copy in self._before(one.episode)}
        return next((copy for copy in self._before(episode) if copy.id not in carried), None)

    def _with_asked(self, one: _ToldAt, placed: Sequence[_ToldAt]) -> _ToldAt:
        """Adds those who stood behind it, and whom a side is asked about meanwhile."""
        if not one.episode.open or one.episode.asked:
            return one
        kept = {id(ground) for other in placed for ground in other.episode.grounds}
        copies = [one.copy] if one.copy else self._before(one.episode)
        asked = [
            assessment
            for assessment in self.assessments
            if assessment.asked and id(assessment) not in kept
            if any(self._is_ground(assessment, copy) for copy in copies)
        ]
        return replace(one, asked=tuple(asked))

    def bring(self, one: _ToldAt, found: Changes, *, clears: bool) -> None:
        """Lets a copy say what it should, and keeps its grounds."""
        days, reviews = self._days(one)
        asked = one.episode.asked and one.before is not None
        told = disclosure_together(
            one.episode.grounds,
            days=days,
            rulebook=self.rulebook,
            within=one.before.says if asked and one.before else tuple(Element),
            clears=clears,
        )
        copy = one.copy or self._new_copy(one, told, days)
        copy.code, copy.agency = one.episode.concern.code, one.episode.concern.agency
        copy.review, copy.expires = days.review, days.expires
        self.work.session.add(copy)
        joined = [ground for ground in one.episode.grounds if self._has_joined(ground)]
        if one.copy is None or copy.digest != self._digest(told) or self._is_awaited(one, joined):
            narrows = one.copy is not None and not set(copy.says) <= set(told.says)
            found.versions.append(
                NewVersion(copy, self.file.person, told, told.status, withdraws=narrows)
            )
            for ground in joined:
                ground.naming.delivered = False
        elif joined:
            delivered = self._is_delivered(copy)
            for ground in joined:
                ground.naming.delivered = delivered
        self._keep_grounds(copy, one, reviews)
        found.about += [(ground, copy.id) for ground in one.grounds]

    def _has_joined(self, ground: Assessment) -> bool:
        """Returns whether no copy at this practice stood on this before."""
        if ground.former:
            return False
        return not any(self._is_ground(ground, copy) for copy in self._welcome)

    def _is_awaited(self, one: _ToldAt, joined: Sequence[Assessment]) -> bool:
        """Returns whether somebody's own words wait for a delivery, though they change nothing.

        So no receipt tells that another agency had told the record before. A plan that joins others
        of its agency awaits nothing: how many there are is told to no record.
        """
        before = self._behind(one.copy) if one.copy is not None else set()
        there = {other.plan.ods for other in self.assessments if other.said_as in before}
        return any(
            _has_receipt(ground) and ground.plan.ods not in there
            if any(ground is other for other in joined)
            else not ground.former and self.own[ground.naming.id].told
            for ground in one.episode.grounds
        )

    def _is_delivered(self, copy: tables.CopyRow) -> bool:
        asked = (
            select(tables.DeliveryRow.state)
            .where(col(tables.DeliveryRow.version_id) == col(tables.VersionRow.id))
            .where(col(tables.VersionRow.copy_id) == copy.id)
            .where(col(tables.VersionRow.number) == copy.number)
        )
        return self.work.session.exec(asked).first() is DeliveryState.DELIVERED

    def _days(self, one: _ToldAt) -> tuple[Days, dict[str, date | None]]:
        """Returns the days of a copy, and the day by which each ground is to be reviewed.

        A copy that goes on keeps the day it was placed, and its expiry is put off only where a
        ground never expires. A ground keeps its review day, unless its submitter amends it. The
        soonest is the copy's.
        """
        copy, today = one.before, self.work.today
        reviews = {
            ground.naming.id: self._review(ground, again=copy is not None) for ground in one.grounds
        }
        soonest = min((day for day in reviews.values() if day is not None), default=None)
        expires = expiry(one.episode.grounds, today)
        if copy is None:
            return Days(today, soonest, expires), reviews
        if expires is not None and copy.expires is not None:
            counted = expiry(one.episode.grounds, copy.placed) or expires
            expires = min(copy.expires, counted)
        return Days(copy.placed, soonest, expires), reviews

    def _review(self, ground: Assessment, *, again: bool) -> date | None:
        day = day_after(self.work.today, ground.told.placement.review)
        if day is None or not again or ground.former or self.own[ground.naming.id].amended:
            return day
        kept = (
            before.review
            for copy in self.file.standing_copies()
            for before in self.file.grounds[copy.id]
            if (before.naming_id, before.kind) == ground.said_as and not before.former
        )
        return min((before for before in kept if before is not None), default=day)

    def _new_copy(self, one: _ToldAt, told: Disclosure, days: Days) -> tables.CopyRow:
        concern = one.episode.concern
        return tables.CopyRow(
            id=self.work.new_id(),
            person_id=self.file.person.id,
            kind=concern.kind,
            code=concern.code,
            agency=concern.agency,
            form=concern.form,
            practice=one.practice,
            number=0,
            status=told.status,
            labels=(),
            says=(),
            digest="",
            placed=days.placed,
        )

    def _keep_grounds(
        self, copy: tables.CopyRow, one: _ToldAt, reviews: Mapping[str, date | None]
    ) -> None:
        now = {ground.naming.id: ground for ground in sorted(one.grounds, key=_former_first)}
        for row in self.file.grounds.get(copy.id, ()):
            ground = now.pop(row.naming_id, None)
            if ground is None:
                self.work.session.delete(row)
            else:
                row.kind, row.former = ground.particulars.kind, ground.former
                row.review = reviews[row.naming_id]
                self.work.session.add(row)
        for naming_id, ground in now.items():
            self.work.keep(
                tables.GroundRow,
                copy_id=copy.id,
                naming_id=naming_id,
                kind=ground.particulars.kind,
                former=ground.former,
                review=reviews[naming_id],
            )

    def gone_and_now_in_error(self) -> list[tables.CopyRow]:
        """Returns the copies that were taken back before, and not as the errors that they were."""
        removed = [copy for copy in self.file.copies if copy.status is CopyStatus.REMOVED]
        return [
            copy
            for copy in removed
            if self._is_error(copy)
            and copy.digest != self._digest(removal(copy.form, copy.labels, in_error=True))
        ]

    def _is_error(self, copy: tables.CopyRow) -> bool:
        """Returns whether nothing of it should ever have been said."""
        behind = {ground.naming_id for ground in self.file.grounds[copy.id]}
        grounds = [one for one in self.assessments if one.naming.id in behind]
        return bool(grounds) and all(one.in_error for one in grounds)

    def take_back(self, copy: tables.CopyRow, found: Changes) -> None:
        """Removes a copy: as an error where it is one."""
        told = removal(copy.form, copy.labels, in_error=self._is_error(copy))
        found.versions.append(
            NewVersion(copy, self.file.person, told, CopyStatus.REMOVED, withdraws=True)
        )
        found.about += [(one, copy.id) for one in self.assessments if self._is_ground(one, copy)]


def _former_first(ground: Assessment) -> bool:
    return not ground.former


def _has_receipt(ground: Assessment) -> bool:
    """Returns whether its submitter is told of the delivery."""
    open_ = ground.particulars.phase is Phase.OPEN
    return open_ and Kind(ground.plan.kind) not in NOTIFICATIONS
