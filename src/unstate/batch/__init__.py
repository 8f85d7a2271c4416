"""Many services of one repository: which there are, and their changes made, tested and sent as one campaign."""
