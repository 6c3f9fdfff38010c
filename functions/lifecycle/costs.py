"""Hours and money: what a forecast costs, against running always. Pure.

Hugging Face bills by the minute, for each replica that starts or runs; paused and scaled to zero cost nothing.
"""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def dollars(running: timedelta, replicas: int, price_per_hour: float) -> Decimal:
    """Hours × replicas × price, to the cent."""
    hours = Decimal(int(running.total_seconds())) / 3600
    return (hours * replicas * Decimal(str(price_per_hour))).quantize(CENT, ROUND_HALF_UP)
