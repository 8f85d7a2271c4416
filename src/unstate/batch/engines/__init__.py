"""Where the work of a campaign is done: here one by one, in the processes of this machine, or on a Dask cluster."""

from unstate.batch.engines.outcome import Engine, Failure, Outcome
from unstate.batch.engines.pool import Pool
from unstate.batch.engines.serial import Serial

__all__ = ["Engine", "Failure", "Outcome", "Pool", "Serial"]
