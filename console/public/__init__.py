"""What anybody may see: a publication's proof, health, metrics."""
