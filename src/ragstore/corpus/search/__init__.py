"""What a search asks for, and what it makes of what the database found."""
