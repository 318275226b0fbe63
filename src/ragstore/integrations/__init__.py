"""Host libraries: one module for each, behind the extra of its name.

    from ragstore.integrations.flask import RateLimiter, StoreSessionInterface

Nothing is imported here, so nobody needs a framework that he does not use.
"""
