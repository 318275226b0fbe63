# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""The repository's part that writes messages as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from ragstore.conversations import appending, preparing
from ragstore.conversations.backend import Append, ConversationsBackend
from ragstore.conversations.parts import Part
from ragstore.conversations.records import Message, NewMessage, Sources
from ragstore.conversations.streams import finishing
from ragstore.conversations.streams.finishing import Ending, Rest, Told
from ragstore.core import border
from ragstore.core._face_sync import CANCELLATIONS, to_the_end
from ragstore.core._sync import Repository
from ragstore.core.border import TextPolicy
from ragstore.core.ids import parse_id
from ragstore.core.records import UNSET, JsonObject, Unset
from ragstore.errors import InvalidInput, NotFound, UsageError


class MessageStream:
    """A message being written; made by `store.conversations.stream()`. For one task alone.

    Attributes:
        message: The message as it was when it was begun: its id and its place.
    """

    def __init__(self, streams: Streams, message: Message, flush_every: float, policy: TextPolicy) -> None:
        """Use `store.conversations.stream`."""
        self.message = message
        self._streams = streams
        self._flush_every = flush_every
        self._policy = policy
        self._pieces: list[str] = []
        self._stored = self._length = len(message.content)
        self._flushed_at = time.monotonic()
        self._told: dict[str, Any] = {}
        self._rest = finishing.rest(Told(), policy)
        self._ended = False

    def write(self, text: str) -> None:
        """Add to the text. What has come is stored every so many seconds, not at each piece.

        Args:
            text: What is added. What is refused is not; the stream can go on without it.

        Raises:
            InvalidInput: It is no text, or holds characters that cannot be stored.
            LimitExceeded: The message would have more than 1,000,000 characters.
        """
        piece = preparing.text(text, self._policy, "text")
        if self._length + len(piece) > preparing.MAX_CONTENT:
            raise finishing.too_long()
        self._pieces.append(piece)
        self._length += len(piece)
        if time.monotonic() - self._flushed_at >= self._flush_every:
            self.flush()

    def flush(self) -> None:
        """Store what has come, so that others can read it; a cancelled task still waits for that."""
        if self._pieces:
            to_the_end(self._grow)
        self._flushed_at = time.monotonic()

    def _grow(self) -> None:
        if self._pieces:
            self._stored = self._streams.grow(self.message.id, "".join(self._pieces), at=self._stored)
            self._pieces.clear()

    def tell(self, **values: Any) -> None:
        """Say what is to be stored with the finished message: what `finish` takes, but `status` and `content`.

        Args:
            values: For example `sources`, `model`, `output_tokens`. What is told again takes the place of the former.

        Raises:
            InvalidInput: A value cannot be stored, or is none of these. None of this call's values is kept then.
        """
        told = {**self._told, **values}
        self._rest = finishing.rest(Told(**told), self._policy)
        self._told = told

    def end(self, status: Ending) -> None:
        """Store the rest and finish the message, even if the task is cancelled; the block's end does so by itself."""
        to_the_end(lambda: self._end(status))

    def _end(self, status: Ending) -> None:
        self._grow()
        self._finish(status)

    def _cut_off(self, status: Ending, error: BaseException) -> None:
        """End it after an error. That it cannot be ended is noted on the error, which is the one to be told."""
        if self._ended:
            return
        with finishing.noting_failure(error, self.message.id):
            to_the_end(lambda: self._end_anyhow(status))

    def _end_anyhow(self, status: Ending) -> None:
        try:
            self._grow()
        finally:
            self._finish(status)

    def _finish(self, status: Ending) -> None:
        ended = preparing.ending(status, UNSET, UNSET, UNSET, self._policy)
        self._streams._finish(self.message.id, Rest({**self._rest.values, **ended}, self._rest.cited))
        self._ended = True


class Streams(Repository[ConversationsBackend]):
    """What the conversations' repository has for messages whose text comes in pieces."""

    @contextmanager
    def stream(
        self, thread_id: str, message: NewMessage, *, flush_every: timedelta | float = 0.5
    ) -> Iterator[MessageStream]:
        """Append a message whose text is still to come, and finish it at the block's end.

        It is there for others to read from the start, with the status "streaming" and what has been stored of it. It
        ends as "complete"; as "error" if the block raises or the rest cannot be stored, and as "cancelled" if its task
        is cancelled. In each case what has come stays, and the block's own error is the one that is raised. If the
        process dies, `store.maintenance().close_streams()` ends it later. Each step is a short transaction of its own:
        none is held while the model runs. A task that is cancelled in one waits for its end first.

        Args:
            thread_id: The thread.
            message: What is known of it: its role, perhaps the beginning of its text.
            flush_every: After how long what has come is stored, as a timedelta or in seconds, 0 or more.

        Raises:
            UsageError: Inside a unit of work, where nobody could see it before the end.

        Example:
            .. code-block:: python

                with store.conversations.stream("t-1", NewMessage(role="assistant")) as stream:
                    for piece in ("So", " it is."):
                        stream.write(piece)
                    stream.tell(model="small", output_tokens=4)
        """
        if not self._access.one_shot:
            raise UsageError("a stream cannot be part of a transaction: call it on the store, outside any unit of work")
        pause = border.span(flush_every, field="flush_every", minimum=timedelta(0)).total_seconds()
        stream = MessageStream(self, self._begin(thread_id, message), pause, self._policy())
        try:
            yield stream
            stream.end("complete")
        except CANCELLATIONS as error:
            stream._cut_off("cancelled", error)
            raise
        except BaseException as error:
            stream._cut_off("error", error)
            raise

    def _begin(self, thread_id: str, message: NewMessage) -> Message:
        """Append the message. A task that is cancelled meanwhile leaves it ended, or leaves none if none was stored."""
        asked = self._opening(thread_id, message)
        known: list[UUID] = [asked.batch[0].fields["id"]]

        def append() -> Message:
            begun = self._open(asked)
            known.append(begun.id)  # another than was asked for, if the host's id says that it is there already
            return begun

        try:
            return to_the_end(append)
        except CANCELLATIONS as error:
            self._take_back(known[-1], error)
            raise

    def _opening(self, thread_id: str, message: NewMessage) -> Append:
        if not isinstance(message, NewMessage):
            raise InvalidInput(f"must be a NewMessage, not {type(message).__name__}", field="message")
        thread, let_in = preparing.thread(thread_id), preparing.Border.of(self._access.settings)
        opened = message.model_copy(update={"status": "streaming"})
        return Append.of(self._access, thread, [preparing.message(opened, let_in)], let_in.language)

    def _open(self, asked: Append) -> Message:
        with self._access.writing() as work:
            return (work.steps(appending.append(self._backend, asked)))[0]

    def _take_back(self, message_id: UUID, error: BaseException) -> None:
        """End a message that may have been stored: a commit that was interrupted does not say."""
        ended = finishing.rest(Told(), self._policy(), "cancelled")
        with finishing.noting_failure(error, message_id), suppress(NotFound):
            to_the_end(lambda: self._finish(message_id, ended))

    def grow(self, message_id: UUID | str, text: str, *, at: int | None = None) -> int:
        """Add to the text of an open message. One statement, which writes the text anew: gather pieces first.

        Args:
            message_id: A message that was appended with the status "pending" or "streaming"; it is "streaming" then.
            text: What is added; a message has at most 1,000,000 characters.
            at: How many characters are there already, so that a repeated call adds nothing twice; None: any number.

        Returns:
            How many characters the message has then.

        Raises:
            NotFound: There is no such message.
            Conflict: It is finished, or has another number of characters.
            LimitExceeded: It would become too long.
            InvalidInput: A value is unfit.
        """
        known = parse_id(message_id)
        added = preparing.text(text, self._policy(), "text")
        place = None if at is None else border.limit(at, field="at", minimum=0, maximum=preparing.MAX_CONTENT)
        with self._access.writing() as work:
            return work.steps(finishing.grow(self._tenant, known, added, place))

    def finish(  # noqa: PLR0913 - all that is known of a message when it is done, by keyword
        self,
        message_id: UUID | str,
        *,
        status: Ending = "complete",
        content: str | Unset = UNSET,
        parts: Sequence[Part] | Unset | None = UNSET,
        metadata: JsonObject | Unset = UNSET,
        sources: Sources = (),
        response_time: float | None = None,
        model: str | None = None,
        resolved_model: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cached_tokens: int | None = None,
        reasoning_tokens: int | None = None,
        cost: Decimal | None = None,
    ) -> Message:
        """Finish an open message, in one transaction. It never changes again, and search finds it from now on.

        Args:
            message_id: A message that was appended with the status "pending" or "streaming".
            status: How it ended: "complete", "error" or "cancelled".
            content: The whole text, in place of what has been stored; left out: what has been stored.
            parts: As for `NewMessage`; left out: those it began with.
            metadata: Takes the place of the stored metadata; left out: that stays.
            sources: What it cites, best first, in place of what it began with; none leaves that.
            response_time: How long it took to make, in seconds.
            model: The model that was asked for. This and what follows: None leaves what it began with.
            resolved_model: The model that answered.
            input_tokens: Tokens the model read.
            output_tokens: Tokens the model wrote.
            cached_tokens: Of the tokens read, those from a cache.
            reasoning_tokens: Of the tokens written, those of reasoning.
            cost: What it cost, to nine decimal places.

        Raises:
            NotFound: There is no such message.
            Conflict: It is finished already.
            InvalidInput: A value cannot be stored. Nothing is changed.
        """
        known = parse_id(message_id)
        told = Told(
            parts=parts,
            metadata=metadata,
            sources=sources,
            response_time=response_time,
            model=model,
            resolved_model=resolved_model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cached_tokens=cached_tokens,
            reasoning_tokens=reasoning_tokens,
            cost=cost,
        )
        return self._finish(known, finishing.rest(told, self._policy(), status, content))

    def _finish(self, message_id: UUID, done: Rest) -> Message:
        with self._access.writing() as work:
            return work.steps(finishing.finish(self._tenant, message_id, done))
