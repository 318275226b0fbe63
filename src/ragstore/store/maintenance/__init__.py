"""The handle that works across all tenants."""
