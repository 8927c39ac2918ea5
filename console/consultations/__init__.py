"""意见征集: opening one, what citizens wrote, what becomes of it, the draft of the result."""
