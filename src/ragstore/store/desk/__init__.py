"""Where rate limits are decided: connections beside the pool, a deadline, and a breaker."""
