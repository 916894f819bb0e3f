"""The wrong variants of the rules by name: they show that the search would notice. Refuses nothing."""

from __future__ import annotations

from tests.property.cursor import wrong_answers, wrong_rows

VARIANTS: dict[str, type[wrong_answers.Wrong]] = {
    variant.name: variant
    for module in (wrong_answers, wrong_rows)
    for variant in vars(module).values()
    if isinstance(variant, type)
    and issubclass(variant, wrong_answers.Wrong)
    and variant is not wrong_answers.Wrong
}
