"""What an operator asks for: look for what is wrong, move data in from elsewhere."""
