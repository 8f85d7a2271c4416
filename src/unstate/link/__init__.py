"""The files of a service put together: stores with every reference to them, and who can reach what."""
