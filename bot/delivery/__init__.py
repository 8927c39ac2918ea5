"""Everything that leaves: publications and messages, a row before each call, its outcome after.

No transaction is open across a network call. Rows a dead process left `sending` become `unknown`:
they are never sent again by themselves.
"""
