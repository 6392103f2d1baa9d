"""Model cards: what a model was trained on and what it learnt, in Markdown, so that a review can compare versions."""

from __future__ import annotations

from math import log2
from typing import Any


def card(name: str, model: dict[str, Any], facts: dict[str, str]) -> str:
    """The model card of trained Splink settings.

    Args:
        facts: what to say about the training data, name to value.
    """
    lines = [
        f"# Linkage model {name}",
        "",
        "Splink settings trained by `warehouse.link.train` on a synthetic population: u from random pairs, m by expectation",
        "maximisation. Measured accuracy is added below once it is known, and stands in `docs/linkage.md`; thresholds stand in `policy.yaml`.",
        "",
        *[f"- {key}: {value}" for key, value in facts.items()],
        f"- prior during training: {model['probability_two_random_records_match']:.3g} (a night sets its own from its record counts)",
        "",
        "## What agreement is worth",
        "",
        "m is the probability of the level among true pairs, u among others; the weight is log2(m/u), in bits. TF: the night's",
        "frequency of the value replaces u.",
        "",
        f"![Match weights]({name}.match_weights.svg)",
        "",
        f"![Estimates of each training session]({name}.estimates.svg)",
    ]
    for comparison in model["comparisons"]:
        lines += ["", f"### {comparison['output_column_name']}", "", "| level | m | u | weight | TF |", "|---|---|---|---|---|"]
        lines += [_row(level) for level in comparison["comparison_levels"] if not level.get("is_null_level")]
    lines += ["", "## Blocking rules", "", *[f"- `{rule['blocking_rule']}`" for rule in model["blocking_rules_to_generate_predictions"]], ""]
    return "\n".join(lines)


def _row(level: dict[str, Any]) -> str:
    m, u = level["m_probability"], level["u_probability"]
    return f"| {level['label_for_charts']} | {m:.4g} | {u:.4g} | {_weight(level):.1f} | {level.get('tf_adjustment_column', '')} |"


def changes(new: dict[str, dict[str, Any]], in_force: dict[str, tuple[str, dict[str, Any]]]) -> str:
    """What new models weigh otherwise than the ones in force, in Markdown.

    Args:
        new: the new models by name.
        in_force: for each of them, the name of the model that does its work now, and that model.
    """
    lines = ["# What the new models weigh otherwise", "", "Weights in bits, log2(m/u), where a value is as common as on average."]
    for name, model in new.items():
        old_name, old = in_force[name]
        before = _weights(old)
        lines += ["", f"## {name} instead of {old_name}", "", "| comparison | level | now | new | change |", "|---|---|---|---|---|"]
        for level, weight in _weights(model).items():
            was = before.get(level)
            lines.append(
                f"| {level[0]} | {level[1]} | {'' if was is None else f'{was:.1f}'} | {weight:.1f} | {'' if was is None else f'{weight - was:+.1f}'} |"
            )
    return "\n".join([*lines, ""])


def _weights(model: dict[str, Any]) -> dict[tuple[str, str], float]:
    """Each level's weight by its comparison and label."""
    return {
        (comparison["output_column_name"], level["label_for_charts"]): _weight(level)
        for comparison in model["comparisons"]
        for level in comparison["comparison_levels"]
        if not level.get("is_null_level")
    }


def _weight(level: dict[str, Any]) -> float:
    m, u = level["m_probability"], level["u_probability"]
    return log2(m / u) if m and u else 0.0
