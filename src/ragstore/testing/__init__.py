"""For tests on real databases: a pytest plugin, a server that is found or started, and small builders."""
