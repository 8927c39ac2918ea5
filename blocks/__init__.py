"""What a body is made of: one frozen document of blocks, its text with offsets, its other forms."""
