"""来源: whom we may republish, lists, exceptions, pictures, columns."""
