"""The rate limits' repository."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from ragstore.core._face_async import sleep
from ragstore.errors import InvalidInput
from ragstore.rate_limits import deciding
from ragstore.rate_limits.backend import Action, Answers, Batch
from ragstore.rate_limits.deciding import Asked
from ragstore.rate_limits.limits import units
from ragstore.rate_limits.records import Charge, Decision, Key, Policy, Reservation


class AsyncDecides(Protocol):
    """Where batches are decided."""

    async def decide(self, batch: Batch) -> Answers:
        """Decide a batch in a transaction of its own."""
        ...

    async def aclose(self) -> None:
        """Close its connections."""
        ...


class Caller(Protocol):
    """On whose behalf it is asked."""

    @property
    def tenant(self) -> str:
        """Give the tenant, or raise `TenantRequired`."""
        ...

    def refuse_own_writer(self) -> None:
        """Raise `UsageError` where a decision would wait for a unit of work that waits for it."""
        ...


class AsyncRateLimits:
    """Who may do how much: exact counts under any concurrency, kept in the database.

    A decision is one round trip and a transaction of its own, on connections beside the store's pool: it stays counted
    when the caller's transaction is rolled back, and it never commits the caller's work. Over the limit is an answer,
    not an exception.

    Methods that judge time take `now` in place of the database's clock, for tests and for replaying what has happened.
    """

    def __init__(self, caller: Caller, desk: AsyncDecides, policies: dict[str, Policy]) -> None:
        """Decide at `desk`; the store makes this."""
        self._caller = caller
        self._desk = desk
        self._policies = policies

    def define(self, *policies: Policy) -> None:
        """Make policies known by their names, for this store and all its handles. One of the same name is replaced.

        Nothing is written. Every process defines its policies, when it starts, say; the counts are in the database and
        shared.
        """
        self._policies.update({policy.name: policy for policy in policies})

    async def hit(self, policy: str | Policy, key: Key, *, cost: int = 1, now: datetime | None = None) -> Decision:
        """Take so much if all limits of the policy have it, else take nothing.

        Args:
            policy: A defined policy's name, or a policy.
            key: Who is limited: text, a whole number, a UUID, bytes, or a tuple of these. Any length; stored as 16
                bytes of its SHA-256.
            cost: How much, 1 to 10**12. More than a limit's capacity is refused for good (`permanent`).
            now: In place of the database's clock.

        Returns:
            The decision. If the database does not answer within the policy's `max_wait`, the policy's `failure`
            decides, and the decision is `degraded`.

        Raises:
            NotFound: No policy of this name is defined.
            InvalidInput: The key is empty, or a value is unfit.
            UsageError: On SQLite: a unit of work of this very task is writing, and would be waited for in vain.

        Example:
            .. code-block:: python

                from ragstore.rate_limits import Policy

                store.rate_limits.define(Policy("login", "5/minute; 50/day"))
                decision = await store.rate_limits.hit("login", ("192.0.2.7", "ann"))
                if not decision.allowed:
                    print("try again in", decision.retry_after)
        """
        return await self.hit_all([Charge(policy, key, cost)], now=now)

    async def hit_all(self, charges: Sequence[Charge], *, now: datetime | None = None) -> Decision:
        """Take from several policies, all or nothing, in one round trip.

        Args:
            charges: What to take from whom; a policy once for each key.
            now: In place of the database's clock.

        Returns:
            The decision, with the state of every limit. If policies fail differently, "closed" goes first, and the
            shortest `max_wait` holds for all.

        Raises:
            NotFound: A policy is not defined.
            InvalidInput: There is no charge, one policy and key come twice, or a value is unfit.
            UsageError: As for `hit`.
        """
        return await self._ask("ask", charges, now)

    async def peek(self, policy: str | Policy, key: Key, *, cost: int = 1, now: datetime | None = None) -> Decision:
        """Say what `hit` would say now. Nothing is taken, locked or written.

        `remaining` is what there is now, before anything is taken. Arguments and errors are those of `hit`.
        """
        return await self._ask("look", [Charge(policy, key, cost)], now)

    async def acquire(self, policy: str | Policy, key: Key, *, cost: int = 1, max_wait: float | timedelta) -> Decision:
        """Take so much as soon as it is there, waiting no longer than `max_wait`.

        It sleeps until the limit says that there is enough, and asks again: others may have been faster, and who waits
        longest does not go first.

        Args:
            policy: As for `hit`.
            key: As for `hit`.
            cost: As for `hit`.
            max_wait: Seconds, or a timedelta. 0 asks once.

        Returns:
            The last decision. A refusal comes at once if waiting that long cannot help.
        """
        seconds = max_wait.total_seconds() if isinstance(max_wait, timedelta) else max_wait
        if not seconds >= 0:  # nor NaN, which would be waited for without an end
            raise InvalidInput("must not be negative", field="max_wait")
        deadline = time.monotonic() + seconds
        while True:
            decision = await self.hit(policy, key, cost=cost)
            pause = decision.retry_after
            if decision.allowed or pause is None or time.monotonic() + pause.total_seconds() > deadline:
                return decision
            await sleep(pause.total_seconds())

    async def refund(self, policy: str | Policy, key: Key, *, cost: int = 1, now: datetime | None = None) -> None:
        """Give back what was taken, if it still counts; never more than the limit holds.

        One round trip, a transaction of its own. Arguments are those of `hit`.

        Raises:
            ConnectionLost: The connection broke meanwhile; it may have been given back.
            Unavailable: The database cannot be reached; nothing was given back.
            Timeout: It took longer than the policy's `max_wait`; it may have been given back.
        """
        asked = self._expand([Charge(policy, key, cost)])
        await self._decide(deciding.make_batch(asked, "give", now=now, taken_at=deciding.LATEST))

    async def reserve(self, policy: str | Policy, key: Key, cost: int, *, now: datetime | None = None) -> Reservation:
        """Take an estimate, for a cost that is known only afterwards: tokens of a language model, money.

        `settle` puts it right. If that is never called, because the process died, say, the estimate stays charged.

        Args:
            policy: As for `hit`. For budgets that a crash of the server must not forget: one with `durable=True`.
            key: As for `hit`.
            cost: The estimate.
            now: In place of the database's clock.

        Returns:
            The reservation; whether it was granted is `reservation.decision.allowed`.
        """
        decision = await self.hit(policy, key, cost=cost, now=now)
        found = deciding.find_policy(self._policies, policy)
        taken = cost if decision.allowed and not decision.degraded else 0
        tenant = deciding.GLOBAL if found.scope == "global" else self._caller.tenant
        return Reservation(tenant=tenant, policy=found, key=key, cost=taken, decision=decision)

    async def settle(self, reservation: Reservation, cost: int, *, now: datetime | None = None) -> Reservation:
        """Put the true cost in the place of the estimate.

        What was too much is given back to the window that it was taken from. What was too little is taken, also if it
        is no longer there: the limit then refuses others until the debt is paid. A debt to "gcra" is less than one
        whole capacity; what is beyond that is forgotten. "fixed" and "sliding" forget it with its window.

        Args:
            reservation: What `reserve` gave.
            cost: The true cost; 0 gives all of it back.
            now: In place of the database's clock.

        Returns:
            The reservation as it stands now: settle that one if the cost changes once more.

        Raises:
            InvalidInput: The cost is negative.
            ConnectionLost: The connection broke meanwhile; it may have been settled.
            Unavailable: The database cannot be reached; nothing has changed.
            Timeout: It took longer than the policy's `max_wait`; it may have been settled.
        """
        if cost != 0:
            units(cost, field="cost")
        difference = cost - reservation.cost
        if difference:
            charge = Charge(reservation.policy, reservation.key, abs(difference))
            asked = deciding.expand([charge], self._policies, lambda: reservation.tenant)
            action: Action = "take" if difference > 0 else "give"
            taken_at = reservation.decision.decided_at
            await self._decide(deciding.make_batch(asked, action, now=now, taken_at=taken_at))
        return reservation.model_copy(update={"cost": cost})

    async def reset(self, policy: str | Policy, key: Key) -> None:
        """Forget what a key has taken under a policy, as after a login that went well.

        Raises:
            Unavailable: The database cannot be reached; nothing was forgotten.
            Timeout: It took longer than the policy's `max_wait`; it may have been forgotten.
        """
        await self._decide(deciding.make_batch(self._expand([Charge(policy, key)]), "forget", now=None))

    def _expand(self, charges: Sequence[Charge]) -> list[Asked]:
        return deciding.expand(charges, self._policies, lambda: self._caller.tenant)

    async def _decide(self, batch: Batch) -> Answers:
        self._caller.refuse_own_writer()
        return await self._desk.decide(batch)

    async def _ask(self, action: Action, charges: Sequence[Charge], now: datetime | None) -> Decision:
        asked = self._expand(charges)
        batch = deciding.make_batch(asked, action, now=now)
        try:
            answers = await self._decide(batch)
        except deciding.AWAY:
            return deciding.degraded(asked)
        return deciding.decide(asked, batch, answers)
