"""What two people change about sources, as kinds of the one mechanism (staff/proposals.py)."""

from content_sources import changes, exceptions, official_list
from content_sources.reposts import Reposts
from ledger.append import Ledger
from staff.proposals import Kind


def source_kinds(ledger: Ledger) -> dict[str, Kind]:
    """Sources, imported lists and exceptions by the names of their kinds."""
    return {
        changes.KIND: changes.SourceKind(ledger.db),
        official_list.KIND: official_list.ListKind(ledger.db),
        exceptions.KIND: exceptions.ExceptionKind(Reposts(ledger)),
    }
