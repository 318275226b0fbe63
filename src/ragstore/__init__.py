"""The data layer of an application that answers questions over documents."""

from ragstore.config import Settings
from ragstore.store._async import AsyncStore
from ragstore.store._sync import Store
