"""请部门核对: a question to a department, answered by a one-time link."""
