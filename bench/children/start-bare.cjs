// Only node itself.
