"""What was promised against what everybody saw, by set arithmetic. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from faults.seen import Seen


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of breaches; all 0 when the promises held. `unmarked`: handset duplicates without the mark."""

    lost: int
    stored_twice: int
    repeated: int
    replies_lost: int
    replies_twice: int
    linked_wrongly: int
    not_handed_over: int
    unmarked: int
    unfinished: int

    @property
    def held(self) -> bool:
        return not any(asdict(self).values())


def judge(seen: Seen) -> Verdict:
    """Each accepted MT and each taken MO: shown to every poller of its user, once; linked rightly; handed over."""
    lost = repeated = 0
    for user, shown in seen.polled:
        lost += len({mt for owner, mt in seen.accepted.values() if owner == user} - set(shown))
        repeated += sum(times - 1 for times in shown.values())
    owner_of = {mt: user for user, mt in seen.accepted.values()}
    texts = [text for text, _ in seen.texts.values()]
    replies_lost = 0
    for user, shown in seen.polled:
        there = {seen.texts[one][0] for one in shown if one in seen.texts}
        # A reply to a message whose sender never got an answer belongs to nobody we can name.
        own = {text for text, origin in seen.replies.items() if owner_of.get(origin) == user}
        replies_lost += len(own - there)
    return Verdict(
        lost=lost,
        stored_twice=sum(len(ids) - 1 for ids in seen.ids_of_reference.values()),
        repeated=repeated,
        replies_lost=replies_lost,
        replies_twice=len(texts) - len(set(texts)),
        linked_wrongly=sum(
            origin != seen.replies.get(text, origin) or origin is None or origin not in text
            for text, origin in seen.texts.values()
        ),
        not_handed_over=len(seen.missing()),
        unmarked=sum(times.count(False) > 1 or len(times) > 2 for times in seen.arrivals.values()),
        unfinished=len(seen.unfinished),
    )
