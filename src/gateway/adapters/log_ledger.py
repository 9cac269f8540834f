"""Each exchange as one line of the log."""

import logging

from gateway.metering.records import Record

logger = logging.getLogger("sluicegate.exchange")


class LogLedger:
    async def write(self, record: Record) -> None:
        if logger.isEnabledFor(logging.INFO):
            logger.info("%s", line(record))


def line(record: Record) -> str:
    """For a person at a terminal: who was asked, what came, how long it took, what it cost."""
    usage = record.usage
    tokens = f"{usage.prompt_tokens}+{usage.output_tokens}" if usage else "unknown"
    served = f"{record.provider}/{record.model}" if record.provider else "no target"
    parts = [
        f"{record.endpoint} -> {served}",
        str(record.status),
        f"{record.duration * 1000:.0f} ms",
        f"{tokens} tokens",
    ]
    if record.stream and record.first_content is not None:
        parts.append(f"first content {record.first_content * 1000:.0f} ms")
    if record.cost is not None:
        parts.append(f"${record.cost:.6f}")
    if record.attempts > 1:
        parts.append(f"{record.attempts} attempts")
    if record.dropped:
        parts.append(f"dropped {' '.join(record.dropped)}")
    if record.error:
        parts.append(f"{record.outcome}: {record.error}")
    return ", ".join([*parts, record.request_id])
