"""What ragstore costs over the same work done by hand."""
