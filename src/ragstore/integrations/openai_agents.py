"""OpenAI Agents SDK: its sessions in the store. Needs the extra `openai-agents`.

from ragstore.integrations.openai_agents import RagstoreSession

session = RagstoreSession(store, "thread-1", user_id="ann")
"""

from ragstore.errors import MissingExtra

try:
    import agents  # noqa: F401 - the library, whose session this is
except ModuleNotFoundError as error:
    raise MissingExtra("openai-agents", "ragstore.integrations.openai_agents") from error

from ragstore.integrations._openai_agents_session import RagstoreSession

__all__ = ["RagstoreSession"]
