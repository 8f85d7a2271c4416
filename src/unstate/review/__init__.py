"""A person goes through a plan, group by group."""

from unstate.review.state import Bench, Review
from unstate.review.terminal import Ending, review

__all__ = ["Bench", "Ending", "Review", "review"]
