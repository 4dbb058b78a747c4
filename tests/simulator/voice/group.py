"""The voice gateway's view of one MLS group: epoch, leaves, open proposals, which commit counts.

Pure bookkeeping of DAVE's rules ("Group Key Exchange" in the protocol's text): no sockets, no
secrets. A group is *pending* (epoch 0) until a first commit makes it; until then every member has a
local group of its own, and gets proposals to add the others.
"""

from dataclasses import dataclass, field

from tests.simulator.voice.mls import Commit, ExternalSender, KeyPackage, Proposal, Welcome


class CommitRefused(Exception):
    """A commit that is not announced; `wrong` when its maker broke a rule, else it was outrun."""

    def __init__(self, reason: str, *, wrong: bool) -> None:
        super().__init__(reason)
        self.wrong = wrong


@dataclass(frozen=True)
class OpenProposal:
    """A proposal of this epoch: it adds a user, or removes the one at `leaf_index`."""

    proposal: Proposal
    user_id: int
    leaf_index: int | None = None

    @property
    def adds(self) -> bool:
        """Tell whether it adds somebody."""
        return self.leaf_index is None


@dataclass
class Group:
    """One group.

    Args:
        group_id: The channel's id.
        sender: The server's signing identity.
    """

    group_id: int
    sender: ExternalSender
    epoch: int = 0
    leaves: list[int | None] = field(default_factory=list)
    proposals: list[OpenProposal] = field(default_factory=list)
    key_packages: dict[int, KeyPackage] = field(default_factory=dict)
    _signature_keys: dict[int, bytes] = field(default_factory=dict)

    @property
    def members(self) -> list[int]:
        """Return the users in the established group."""
        return [user for user in self.leaves if user is not None]

    def reset(self) -> None:
        """Begin anew with no group; nobody's key package is valid any longer."""
        self.epoch = 0
        self.leaves.clear()
        self.proposals.clear()
        self.key_packages.clear()

    def offer(self, key_package: KeyPackage) -> None:
        """Keep the key package of somebody who waits to be added."""
        self.key_packages[key_package.user_id] = key_package
        self._signature_keys[key_package.user_id] = key_package.signature_key

    def propose_waiting(self) -> list[OpenProposal]:
        """Propose to add everyone who waits and was not proposed in this epoch."""
        proposed = {each.user_id for each in self.proposals if each.adds}
        return [
            self._open(
                OpenProposal(self.sender.propose_add(self.group_id, self.epoch, package), user_id)
            )
            for user_id, package in self.key_packages.items()
            if user_id not in proposed and user_id not in self.leaves
        ]

    def propose_removal(self, user_id: int) -> OpenProposal:
        """Propose to remove a member."""
        leaf = self.leaves.index(user_id)
        proposal = self.sender.propose_remove(self.group_id, self.epoch, leaf)
        return self._open(OpenProposal(proposal, user_id, leaf))

    def revoke_addition(self, user_id: int) -> list[OpenProposal]:
        """Take back the open proposals to add a user; return them."""
        self.key_packages.pop(user_id, None)
        revoked = [each for each in self.proposals if each.adds and each.user_id == user_id]
        self.proposals = [each for each in self.proposals if each not in revoked]
        return revoked

    def addressed_to(self, user_id: int) -> list[OpenProposal]:
        """Return the open proposals that a user must commit: all but to add or remove itself."""
        return [each for each in self.proposals if each.user_id != user_id]

    def check(self, user_id: int, commit: Commit) -> None:
        """Raise `CommitRefused` when a commit may not be announced."""
        if commit.epoch != self.epoch:
            raise CommitRefused(f"it is for epoch {commit.epoch}, not {self.epoch}", wrong=False)
        if commit.group_id != self.group_id:
            raise CommitRefused(f"it is for group {commit.group_id}", wrong=True)
        leaf = self.leaves.index(user_id) if user_id in self.leaves else 0
        if commit.leaf_index != leaf:
            raise CommitRefused(f"it comes from leaf {commit.leaf_index}, not {leaf}", wrong=True)
        known_key = self._signature_keys.get(user_id, commit.new_signature_key)
        if commit.new_signature_key not in (None, known_key):
            raise CommitRefused("it changes its maker's signature key", wrong=True)
        expected = {each.proposal.ref for each in self.addressed_to(user_id)}
        if not expected or not expected >= set(commit.proposal_refs):
            raise CommitRefused("it names proposals that are not open", wrong=False)
        if expected != set(commit.proposal_refs):
            raise CommitRefused("it leaves out proposals", wrong=False)

    def apply(self, user_id: int, commit: Commit, welcome: Welcome | None) -> dict[int, bytes]:
        """Move to the commit's epoch; return the welcome of each user that it added.

        Removals free leaves first, then each added user takes the leftmost free one (RFC 9420 7.7).
        """
        named = [each for each in self.proposals if each.proposal.ref in commit.proposal_refs]
        welcomes = {
            each.user_id: self._welcome_of(each.user_id, welcome) for each in named if each.adds
        }
        if self.epoch == 0:
            self.leaves = [user_id]
        for each in named:
            if each.leaf_index is not None:
                self.leaves[each.leaf_index] = None
        while self.leaves and self.leaves[-1] is None:
            self.leaves.pop()
        for added in welcomes:
            self._seat(added)
        for member in self.members:
            self.key_packages.pop(member, None)
        self.epoch += 1
        self.proposals.clear()
        return welcomes

    def _open(self, proposal: OpenProposal) -> OpenProposal:
        self.proposals.append(proposal)
        return proposal

    def _seat(self, user_id: int) -> None:
        if None in self.leaves:
            self.leaves[self.leaves.index(None)] = user_id
        else:
            self.leaves.append(user_id)

    def _welcome_of(self, user_id: int, welcome: Welcome | None) -> bytes:
        try:
            if welcome is not None:
                return welcome.only_for(self.key_packages[user_id])
        except KeyError:
            pass
        raise CommitRefused(f"it has no welcome for user {user_id}, whom it adds", wrong=True)
