"""What is stored of people and organisations, and how it is read out and erased, across all that is stored."""
