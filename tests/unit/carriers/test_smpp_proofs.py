"""Which answers a centre has read: its answer to a later request of ours proves it, and nothing else does."""

from __future__ import annotations

from rejoinder.carriers.smpp_proofs import Proofs


def answered(proofs: Proofs, count: int) -> None:
    for _ in range(count):
        proofs.answered(proofs.begin())


def test_an_answer_to_a_later_request_proves_what_was_answered_before_it() -> None:
    proofs = Proofs()
    answered(proofs, 2)
    assert proofs.wanted()
    proofs.sent(7)
    assert (proofs.proven(), proofs.wanted()) == (0, False)
    proofs.came(7)
    assert proofs.proven() == 2


def test_what_was_answered_after_the_request_was_written_is_not_proven_by_its_answer() -> None:
    proofs = Proofs()
    answered(proofs, 1)
    proofs.sent(7)
    answered(proofs, 1)
    proofs.came(7)
    assert (proofs.proven(), proofs.wanted()) == (1, True)


def test_another_requests_answer_proves_nothing() -> None:
    proofs = Proofs()
    proofs.sent(6)
    answered(proofs, 1)
    proofs.sent(7)
    proofs.came(6)
    assert proofs.proven() == 0


def test_nothing_behind_a_delivery_without_an_answer_is_proven() -> None:
    proofs = Proofs()
    first = proofs.begin()
    answered(proofs, 1)
    proofs.sent(7)
    proofs.came(7)
    assert proofs.proven() == 0
    proofs.answered(first)
    proofs.sent(8)
    proofs.came(8)
    assert proofs.proven() == 2


def test_a_request_that_is_never_answered_leaves_the_proof_to_the_next() -> None:
    proofs = Proofs()
    answered(proofs, 1)
    proofs.sent(7)
    proofs.lapsed(7)
    assert proofs.wanted()
    proofs.sent(8)
    proofs.came(8)
    assert proofs.proven() == 1


def test_a_good_bye_proves_every_answer_and_no_more() -> None:
    proofs = Proofs()
    answered(proofs, 1)
    proofs.sent(7)
    answered(proofs, 1)
    proofs.begin()
    proofs.parted()
    assert proofs.proven() == 2


def test_a_centre_that_proves_nothing_costs_no_memory_and_all_its_deliveries_are_in_doubt() -> None:
    proofs = Proofs()
    answered(proofs, 10_000)
    assert proofs.proven() == 0
    assert len(proofs._above) == 0
    proofs.sent(7)
    proofs.came(7)
    assert proofs.proven() == 10_000


def test_answers_are_proven_whatever_the_order_in_which_they_were_written() -> None:
    proofs = Proofs()
    numbers = [proofs.begin() for _ in range(5)]
    for number in reversed(numbers):
        assert not proofs.wanted()
        proofs.answered(number)
    proofs.sent(7)
    proofs.came(7)
    assert proofs.proven() == 5
