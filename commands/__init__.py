"""`shenfa`, one file a group: each reads its words, opens what it needs, says what was done."""
