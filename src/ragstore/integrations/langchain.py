"""LangChain: its chat message history in the store. Needs the extra `langchain`.

from ragstore.integrations.langchain import RagstoreChatMessageHistory

history = RagstoreChatMessageHistory(store, "thread-1", user_id="ann")
"""

from ragstore.errors import MissingExtra

try:
    import langchain_core  # noqa: F401 - the library, whose history this is
except ModuleNotFoundError as error:
    raise MissingExtra("langchain", "ragstore.integrations.langchain") from error

from ragstore.integrations._langchain_history import RagstoreChatMessageHistory

__all__ = ["RagstoreChatMessageHistory"]
