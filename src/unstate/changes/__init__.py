"""What happens to a rendered change: shown as a diff, accepted by a person, applied as a whole, taken back."""
