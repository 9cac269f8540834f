"""Where the characters of a text stand, and where their bytes: Google counts in bytes."""

from bisect import bisect_right

STEP = 1024  # of pieces of a text: what is counted anew for each place that is asked for


class Places:
    """Of a text that may come in pieces. It is kept, since what rests on which words is told behind
    them; but not what it begins with, as long as that is ASCII.

    Places beyond its ends are its ends.
    """

    __slots__ = ("_ascii", "_bytes", "_characters", "_pieces", "_plain", "_uncounted")

    def __init__(self, text: str = "") -> None:
        self._ascii = True  # all of it, so far
        self._plain = 0  # how many characters of ASCII it begins with
        self._uncounted: list[str] = []  # what comes behind them, until somebody asks
        self._pieces: list[str] = []  # and then
        self._bytes = [0]  # of each piece where it begins; and the end
        self._characters = [0]
        self.add(text)

    def add(self, text: str) -> None:
        if self._ascii and text.isascii():
            self._plain += len(text)
            return
        self._ascii = False
        self._uncounted.append(text)
        if len(self._uncounted) == STEP:  # a text by its tokens takes many times its size
            self._count()

    def _count(self) -> None:
        text = "".join(self._uncounted)
        self._uncounted.clear()
        for at in range(0, len(text), STEP):
            piece = text[at : at + STEP]
            self._pieces.append(piece)
            self._bytes.append(self._bytes[-1] + len(piece.encode()))
            self._characters.append(self._characters[-1] + len(piece))

    @property
    def size(self) -> int:
        """In bytes."""
        self._count()
        return self._plain + self._bytes[-1]

    @property
    def length(self) -> int:
        self._count()
        return self._plain + self._characters[-1]

    def byte(self, character: int) -> int:
        """How many bytes stand before a character."""
        self._count()
        past = character - self._plain
        if past <= 0:
            return max(character, 0)
        nth = bisect_right(self._characters, past) - 1
        if nth >= len(self._pieces):
            return self.size
        within = self._pieces[nth][: past - self._characters[nth]]
        return self._plain + self._bytes[nth] + len(within.encode())

    def character(self, byte: int) -> int:
        """How many whole characters stand before a byte."""
        self._count()
        past = byte - self._plain
        if past <= 0:
            return max(byte, 0)
        nth = bisect_right(self._bytes, past) - 1
        if nth >= len(self._pieces):
            return self.length
        within = self._pieces[nth].encode()[: past - self._bytes[nth]]
        return self._plain + self._characters[nth] + len(within.decode(errors="ignore"))
