"""What every aggregate needs and none owns."""
