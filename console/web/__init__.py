"""The frame every part of the console stands in: who may, the page, the JSON, shared words."""
