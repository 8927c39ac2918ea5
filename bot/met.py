"""How an act of a citizen was met, as its row keeps it for the counts of a day.

Handlers say it (handlers/met.py), the callbacks write it beside the time that it took.
"""

from enum import StrEnum


class Met(StrEnum):
    """What was said to one act; an act that was met with silence has none."""

    ANSWERED = "answered"  # a question, by clauses or a reviewed answer
    ASKED_BACK = "asked_back"
    CHOSEN = "chosen"  # what was offered when we asked back was chosen, and is quoted
    PERSON = "person"  # a question that a person answers
    CALLED = "called"  # a person was asked for with a key
    DANGER = "danger"
    OPEN = "open"  # a question to which we had no answer
    LOST = "lost"  # nobody answered in time: a process died, or our own fault
    OTHER = "other"  # no question: a command, a choice, a greeting


QUESTIONS = frozenset({Met.ANSWERED, Met.ASKED_BACK, Met.PERSON, Met.OPEN})
"""What somebody asked in their own words; commands, keys and choices are none."""
