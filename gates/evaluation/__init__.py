"""What the gates find, miss and wrongly flag on labelled sets (`shenfa eval gates`)."""
