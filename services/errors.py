"""The failures that a member can be told about.

```
UserError                  its text is one clear sentence for the person who can act
├── Refusal                the member asked for something that cannot be: nothing was changed
├── NothingFound           the search was fine, the answer is empty
└── OutsideFailure         a site, a node, Discord or the disk failed us
```

Features add their own leaves below these; `bot/kit/error_boundary.py` has one row for each branch.
Everything that is not a `UserError` is a defect of ours: it is logged with its traceback, and the
member reads one general sentence.
"""


class UserError(Exception):
    """A failure whose text may be shown to a member as it stands."""

    @property
    def sentence(self) -> str:
        """The sentence for the member."""
        return str(self)


class Refusal(UserError):
    """The request cannot be carried out; nothing was changed. The text says what to do instead."""


class NothingFound(UserError):
    """The request was understood and its answer is empty."""


class OutsideFailure(UserError):
    """Something that is not ours failed; the text says what, and whether trying again helps."""
