"""Small windows above the view: a question, a line to fill in, the keys."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class Confirm(ModalScreen[bool]):
    """A question that `y` answers with yes, and anything else with no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape,q,enter", "answer(False)", "No"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question."""
        with Vertical(classes="dialog"):
            yield Static(self._question, markup=False)
            yield Static("y: yes   n: no", classes="hint", markup=False)

    def action_answer(self, yes: bool) -> None:
        """Close it."""
        self.dismiss(yes)


class Ask(ModalScreen[str | None]):
    """A line to fill in; answers None where it is left with Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave")]

    def __init__(self, question: str, hint: str, value: str = "") -> None:
        super().__init__()
        self._question = question
        self._hint = hint
        self._value = value

    def compose(self) -> ComposeResult:
        """The question, the line, what may stand in it."""
        with Vertical(classes="dialog"):
            yield Static(self._question, markup=False)
            yield Input(self._value)
            yield Static(self._hint, classes="hint", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close it with what stands there."""
        self.dismiss(event.value.strip())

    def action_leave(self) -> None:
        """Close it without an answer."""
        self.dismiss(None)


class Help(ModalScreen[None]):
    """The keys, and what the columns mean."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter", "dismiss", "Close")]

    TEXT = """\
Tab, Shift+Tab   next table, the one before
↑ ↓ PgUp PgDn Home End   move in it (also k, j, g, G)
Enter   a job: all about it, and what it writes
        a pool: who holds its slots; a queue: its jobs alone
c   cancel the job that runs
r   retry the job that failed or was cancelled
d   delete the job that ended
p   pause or resume the queue
+ -   one slot more or less: of the server's pool, of a queue
s   set the number of slots
/   show some jobs only: kind:NAME queue:NAME id:PART
    label:KEY=VALUE, or any word; several have to match all
o   next order of the table
q   quit

█ running   ▚ zombie: its attempt is over, its function has
not returned   ░ free
ENDS/S: over the last ten seconds. wait: from when it was
submitted, or due, to its first start; run: its last attempt;
both over the last minute. TRY: attempt of how many."""

    def compose(self) -> ComposeResult:
        """The text."""
        with VerticalScroll(classes="dialog"):
            yield Static(self.TEXT, markup=False)
